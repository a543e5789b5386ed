# Sourced by .ci/run and .ci/fresh: a clean clone of HEAD with empty caches, checks that are counted, and nothing left behind.
set -uo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(cd "$(mktemp -d "${TMPDIR:-/tmp}/cox-ci-XXXXXX")" && pwd -P)
passed=0
failed=0

# Whatever was started for this clone has its temporary folder in its environment, or at least the clone in its command line.
ours() {
  local found pid
  if [ -r /proc/self/environ ]; then
    found=$(grep -lsz "^TMPDIR=$work/" /proc/[0-9]*/environ | cut -d/ -f3)
  else
    found=$(pgrep -f "$work")
  fi
  # The searchers themselves are among the found, and gone by now.
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

# Waited for in the background: only so does a signal that ends this script end it at once.
run() {
  "$@" </dev/null &
  wait $!
}

# check <what> <command…>: one check, its output shown, its outcome counted.
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
# A registry that is slow or breaks off is no fault of ours: npm and pip ask again, also where a test runs them.
export npm_config_fetch_retries=6 npm_config_fetch_timeout=120000 PIP_RETRIES=10 PIP_DEFAULT_TIMEOUT=60
unset NATS_URL COX_ROSTER COX_NAMESPACE COX_NATS_SERVER FORCE_COLOR
# A git or npm that started this script must not decide anything for the clone.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE ${!npm_package_@} ${!npm_lifecycle_@}

# What npm does not ask again for by itself: an answer that breaks off in the middle.
install() {
  local tries
  for tries in 1 2 3; do
    npm ci --no-audit --no-fund && return 0
    [ "$tries" -lt 3 ] && sleep $((tries * 10))
  done
  return 1
}

# The first command of a newcomer: a prompt that answers and takes its leave.
starts() {
  local said
  said=$(printf '/help\n/quit\n' | npm start --silent 2>"$work/start.err")
  local code=$?
  printf '%s\n' "$said"
  cat "$work/start.err"
  [ "$code" -eq 0 ] && grep -q '/steer' <<<"$said"
}

# The second: every test. It is counted by its tests, so it is no check of its own.
run_tests() {
  local code counts limit=()
  command -v timeout >/dev/null && limit=(timeout -k 10 60m)
  printf '== npm test\n'
  run "${limit[@]}" npm test -- --reporter=default --reporter=json --outputFile.json="$work/tests.json"
  code=$?
  counts=$(node .ci/count-tests.mjs "$work/tests.json" 2>/dev/null) || counts='0 1'
  # What fails outside of a test, an unhandled error or a time limit, must not pass.
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

# What was told to end, or lost its parent, may take its time on a busy machine; what was forgotten stays.
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
