# Sourced by .ci/run and .ci/fresh. Makes a clean clone of HEAD with empty caches, counts the checks, and cleans up at the end.
set -uo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(cd "$(mktemp -d "${TMPDIR:-/tmp}/cox-ci-XXXXXX")" && pwd -P)
passed=0
failed=0

# Prints the pids of this clone's processes: those with its TMPDIR, or, without /proc, those with its path in the command line.
ours() {
  local found pid
  if [ -r /proc/self/environ ]; then
    found=$(grep -lsz "^TMPDIR=$work/" /proc/[0-9]*/environ | cut -d/ -f3)
  else
    found=$(pgrep -f "$work")
  fi
  # grep and pgrep find themselves too; they have ended by now.
  for pid in $found; do [ "$pid" != $$ ] && kill -0 "$pid" 2>/dev/null && echo "$pid"; done
}

clean() {
  trap - EXIT INT TERM
  for signal in TERM KILL; do
    left=$(ours)
    [ -z "$left" ] && break
    kill -"$signal" $left 2>/dev/null
    sleep 1
  done
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The command runs in the background, because bash handles a signal at once during `wait` but not during a foreground command.
run() {
  "$@" </dev/null &
  wait $!
}

# check <name> <command…>: runs one check, shows its output and counts its outcome.
check() {
  local what=$1 started=$SECONDS
  shift
  printf '== %s\n' "$what"
  if run "$@"; then
    passed=$((passed + 1))
    printf '== %s: ok, %d s\n\n' "$what" $((SECONDS - started))
  else
    failed=$((failed + 1))
    printf '== %s: FAILED, %d s\n\n' "$what" $((SECONDS - started))
    return 1
  fi
}

finish() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] || exit 1
  exit 0
}

git clone -q --no-local --no-hardlinks "$home" "$work/clone" || exit 1
cd "$work/clone" || exit 1
mkdir -p "$work"/{cache,state,config,tmp}
export XDG_CACHE_HOME=$work/cache XDG_STATE_HOME=$work/state XDG_CONFIG_HOME=$work/config TMPDIR=$work/tmp CI=1 NO_COLOR=1
# A slow or failing registry must not fail the run, so npm and pip retry, also when a test starts them.
export npm_config_fetch_retries=6 npm_config_fetch_timeout=120000 PIP_RETRIES=10 PIP_DEFAULT_TIMEOUT=60
unset NATS_URL COX_ROSTER COX_NAMESPACE COX_NATS_SERVER FORCE_COLOR
# Variables of a git or npm that started this script must not affect the clone.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE ${!npm_package_@} ${!npm_lifecycle_@}

# npm itself does not retry a response that breaks off in the middle.
install() {
  local tries
  for tries in 1 2 3; do
    npm ci --no-audit --no-fund && return 0
    [ "$tries" -lt 3 ] && sleep $((tries * 10))
  done
  return 1
}

# The first command of a new user: the prompt must print its help and quit.
starts() {
  local said
  said=$(printf '/help\n/quit\n' | npm start --silent 2>"$work/start.err")
  local code=$?
  printf '%s\n' "$said"
  cat "$work/start.err"
  [ "$code" -eq 0 ] && grep -q '/steer' <<<"$said"
}

# The second command: all tests. Each test counts as one check.
run_tests() {
  local code counts limit=()
  command -v timeout >/dev/null && limit=(timeout -k 10 60m)
  printf '== npm test\n'
  run "${limit[@]}" npm test -- --reporter=default --reporter=json --outputFile.json="$work/tests.json"
  code=$?
  counts=$(node .ci/count-tests.mjs "$work/tests.json" 2>/dev/null) || counts='0 1'
  # A failure outside of a test (an unhandled error, the time limit) also counts.
  [ "$code" -ne 0 ] && [ "${counts#* }" = 0 ] && counts="${counts% *} 1"
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
  printf '== npm test: exit code %d, %s passed, %s failed\n\n' "$code" $counts
}

lean() {
  local mb
  mb=$(du -sm node_modules | cut -f1)
  echo "node_modules: $mb MB"
  [ "$mb" -lt 500 ]
}

# Processes that are ending may take up to a minute on a busy machine. A process that is still there afterwards was forgotten.
nothing_left() {
  local left tries
  for tries in {1..60}; do
    left=$(ours)
    [ -z "$left" ] && return 0
    sleep 1
  done
  echo 'still running:'
  ps -o pid,ppid,args -p $(echo "$left" | tr '\n' ',' | sed 's/,$//')
  return 1
}
