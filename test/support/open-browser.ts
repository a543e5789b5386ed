/** The browser tools on a real Chromium, with a page of their own, as a task calls them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { browserTools } from '../../actors/tools/browser/browser-tools.ts';
import type { MadeArtifact, ToolOutput, ToolPreview } from '../../actors/tools/tool.ts';
import { webPolicy } from '../../actors/tools/web/web-policy.ts';
import { WebRules } from '../../roster/web-schema.ts';

export interface OpenBrowser {
  readonly page: import('playwright-core').Page;
  readonly workspace: string;
  /** Pictures that were kept, by the names of their files. */
  readonly kept: Uint8Array[];
  notice(text: string): void;
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
  const browser = await chromium.launch({ executablePath: '/tmp/chromium', chromiumSandbox: false, args: ['--headless=shell'] });
  const context = await browser.newContext();
  const page = await context.newPage();
  let notices: string[] = [];
  const policy = webPolicy(WebRules.parse(web));
  const taken = () => {
    const now = notices;
    notices = [];
    return now;
  };
  const tools = browserTools({
    pages: { pageFor: async () => ({ page, context, notices: taken }) },
    policy: () => policy,
  });
  const kept: Uint8Array[] = [];
  const place = {
    ...{ task: 'k3xq.1', workspace, signal: new AbortController().signal, idempotencyKey: 'k3xq.1:s1-0' },
    store: async ({ bytes, ...label }: { name: string; type: string; bytes: Uint8Array }): Promise<MadeArtifact> => {
      const ref = `k3xq.1/s1-0/made-${kept.push(bytes) - 1}`;
      return { ...label, ref, bytes: bytes.length, sha256: '' };
    },
  };
  const toolNamed = (name: string) => tools.find((tool) => tool.name === name)!;
  const preview = (name: string, args: object) => toolNamed(name).preview!(args, place);
  const run: OpenBrowser['run'] = async (name, args, base) => {
    const tool = toolNamed(name);
    const shown = base ?? (tool.preview && (await preview(name, args)).base);
    return tool.run(tool.args.parse(args), { ...place, ...(shown !== undefined && { base: shown }) });
  };
  return {
    ...{ page, workspace, kept, preview, run },
    notice: (text) => notices.push(text),
    say: (name, args) =>
      run(name, args).then(
        ({ text }) => text,
        (cause: Error) => cause.message,
      ),
    close: async () => {
      await browser.close();
      await rm(workspace, { recursive: true, force: true });
    },
  };
}
