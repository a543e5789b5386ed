/** The browser tools on the browser of a node, as a task calls them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { browserTools } from '../../actors/tools/browser/browser-tools.ts';
import { Browsers } from '../../actors/tools/browser/browsers.ts';
import type { KeptPages } from '../../actors/tools/browser/kept-page.ts';
import type { TaskPage } from '../../actors/tools/browser/task-page.ts';
import type { MadeArtifact, Making, ToolContext, ToolOutput, ToolPreview } from '../../actors/tools/tool.ts';
import { openGuardedProxy } from '../../actors/tools/web/guarded-proxy.ts';
import { webPolicy } from '../../actors/tools/web/web-policy.ts';
import { foldersOf } from '../../platform/folders.ts';
import { WebRules } from '../../roster/web-schema.ts';

export interface OpenBrowser {
  /** The page of the task. */
  taskPage(): Promise<TaskPage>;
  readonly workspace: string;
  /** Pictures that were kept, by the names of their files. */
  readonly kept: Uint8Array[];
  preview(tool: string, args: object): Promise<ToolPreview>;
  /** Runs the call as a task does: unless `base` is given, it is looked at first, and an operator who is asked says yes. */
  run(tool: string, args: object, base?: string): Promise<ToolOutput>;
  /** The text of the result, or of the error. */
  say(tool: string, args: object): Promise<string>;
  close(): Promise<void>;
}

/** @param web the section `web` of a roster. */
export async function openBrowser(web: object = {}): Promise<OpenBrowser> {
  const workspace = await mkdtemp(join(tmpdir(), 'cox-browse-'));
  const env = { ...process.env, XDG_STATE_HOME: join(workspace, '.state') };
  const policy = webPolicy(WebRules.parse(web));
  const pages = new Browsers({
    ...{ env, folders: foldersOf(env), log: pino({ level: process.env.COX_TEST_LOG ?? 'silent' }) },
    kept: memory(),
    openProxy: () => openGuardedProxy(() => policy),
  });
  const tools = browserTools({ pages, policy: () => policy });
  const kept: Uint8Array[] = [];
  const names: { name: string; type: string }[] = [];
  const place = {
    ...{ task: 'k3xq.1', workspace, signal: new AbortController().signal, idempotencyKey: 'k3xq.1:s1-0' },
    store: async ({ bytes, ...label }: { name: string; type: string; bytes: Uint8Array }): Promise<MadeArtifact> => {
      const ref = `k3xq.1/s1-0/made-${kept.push(bytes) - 1}`;
      names.push(label);
      return { ...label, ref, bytes: bytes.length, sha256: '' };
    },
    artifact: async (ref: string): Promise<Making> => {
      const n = Number(ref.split('-').at(-1));
      return { ...names[n]!, bytes: kept[n]! };
    },
  };
  const toolNamed = (name: string) => tools.find((tool) => tool.name === name)!;
  let calls = 0;
  const call = () => ({ ...place, idempotencyKey: `k3xq.1:s1-${calls++}` });
  const preview = (name: string, args: object, context: ToolContext = call()) => toolNamed(name).preview!(args, context);
  const run: OpenBrowser['run'] = async (name, args, base) => {
    const tool = toolNamed(name);
    const context = call();
    const shown = base ?? (tool.preview && (await preview(name, args, context)).base);
    return tool.run(tool.args.parse(args), { ...context, ...(shown !== undefined && { base: shown }) });
  };
  return {
    ...{ workspace, kept, run },
    preview: (name, args) => preview(name, args),
    taskPage: () => pages.pageFor(place.task, place.signal),
    say: (name, args) =>
      run(name, args).then(
        ({ text }) => text,
        (cause: Error) => cause.message,
      ),
    close: async () => {
      await pages.close();
      await rm(workspace, { recursive: true, force: true });
    },
  };
}

/** Keeps pages for this test alone. */
function memory(): KeptPages {
  const pages = new Map<string, Awaited<ReturnType<KeptPages['read']>>>();
  return {
    read: async (task) => pages.get(task) ?? null,
    write: async (task, page, after) => {
      const revision = after + 1;
      pages.set(task, { page, revision });
      return revision;
    },
  };
}
