/** write_file, edit_file and apply_patch: what they change, show before, refuse, and do in a second run. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyPatch } from '../../../../actors/tools/files/apply-patch.ts';
import { editFileTool } from '../../../../actors/tools/files/edit-file.ts';
import { sha256 } from '../../../../actors/tools/files/file-state.ts';
import { readFileTool } from '../../../../actors/tools/files/read-file.ts';
import { searchFiles } from '../../../../actors/tools/files/search-files.ts';
import { writeFileTool } from '../../../../actors/tools/files/write-file.ts';
import { Outdated, type Tool } from '../../../../actors/tools/tool.ts';
import { Folder, Keeper } from './folder.ts';

let made: Folder;
beforeEach(async () => {
  made = await Folder.make();
  await made.write('a.txt', 'alpha\nbeta\ngamma\n');
});
afterEach(() => made.remove());

const shaOf = async (path: string) => sha256(await made.bytes(path));
const swap = (old: string, young: string) => ({ path: 'a.txt', old, new: young });
const patchOf = (...lines: string[]) => ({ patch: `${lines.join('\n')}\n` });

describe('edit_file', () => {
  it('replaces a text that is there once, and says how many lines changed', async () => {
    expect(await made.run(editFileTool, swap('beta', 'BETA\nand more'))).toEqual({
      text: 'changed a.txt (+2 −1)',
      artifacts: ['a.txt'],
      changes: [{ target: 'a.txt', kind: 'changed', added: 2, removed: 1, after: await shaOf('a.txt') }],
    });
    expect(await made.read('a.txt')).toBe('alpha\nBETA\nand more\ngamma\n');
  });

  it('takes the new text literally', async () => {
    await made.run(editFileTool, swap('beta', "$& $1 $' \\n"));
    expect(await made.read('a.txt')).toBe("alpha\n$& $1 $' \\n\ngamma\n");
  });

  it('refuses a text that is there several times, unless all of them are meant', async () => {
    await expect(made.run(editFileTool, swap('a\n', 'A\n'))).rejects.toThrow('3 times, in the lines 1, 2, 3');
    await made.run(editFileTool, { ...swap('a\n', 'A\n'), all: true });
    expect(await made.read('a.txt')).toBe('alphA\nbetA\ngammA\n');
  });

  it('shows what is most like a text that is not there', async () => {
    await made.write('a.txt', 'function one() {\n  return first;\n}\n');
    await expect(made.run(editFileTool, swap('    return first;\n', ''))).rejects.toThrow(
      /does not have this text.*\n1: func.*\n2: {3}return/,
    );
    await expect(made.run(editFileTool, swap('nothing of it', ''))).rejects.toThrow('read the file again');
  });

  it('finds a text whatever the line ends, and keeps those of the file', async () => {
    for (const [before, after] of [
      ['one\r\ntwo\r\nthree\r\n', 'one\r\n2\r\nand\r\nthree\r\n'],
      ['one\r\ntwo\r\nthree\n', 'one\r\n2\r\nand\r\nthree\n'],
      ['one\ntwo\nthree\r\n', 'one\n2\nand\nthree\r\n'],
    ] as const)
      for (const end of ['\n', '\r\n']) {
        await made.write('a.txt', before);
        await made.run(editFileTool, swap(`one${end}two`, `one${end}2${end}and`));
        expect(await made.read('a.txt')).toBe(after);
      }
  });

  it('changes nothing but the text, in every encoding', async () => {
    const wide = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');
    const old = (text: string) => Buffer.from(text, 'latin1');
    for (const encoded of [wide, old]) {
      await made.write('a.txt', encoded('caf\xe9 = 1\r\nth\xe9 = 1\r\n'));
      await made.run(editFileTool, swap('café = 1', 'café = 2'));
      expect(await made.bytes('a.txt')).toEqual(encoded('caf\xe9 = 2\r\nth\xe9 = 1\r\n'));
    }
    await expect(made.run(editFileTool, swap('café', '→'))).rejects.toThrow('Windows-1252, which has no →');
  });
});

describe('write_file', () => {
  it('keeps the encoding, the byte order mark and the line ends of the file that it replaces', async () => {
    await made.write('w.txt', '\uFEFFone\r\ntwo\r\n');
    const { text } = await made.run(writeFileTool, { path: 'w.txt', text: 'one\nthree\n' });
    expect(await made.read('w.txt')).toBe('\uFEFFone\r\nthree\r\n');
    expect(text).toContain('kept: UTF-8 with a byte order mark, CRLF line ends');
  });

  it('does not write to what somebody has put at its place meanwhile', async () => {
    await made.write('secret', 'secret');
    execFileSync('mkfifo', [join(made.workspace, 'pipe')]);
    await expect(made.run(writeFileTool, { path: 'pipe', text: 'x' })).rejects.toThrow('not a regular file');
    await symlink('secret', join(made.workspace, 'link'));
    await made.run(writeFileTool, { path: 'link', text: 'through a link within the workspace' });
    expect(await made.read('secret')).toBe('through a link within the workspace');
    // Somebody writes the file between the look at it and the write.
    const keep = async () => {
      await made.write('a.txt', 'written by somebody else');
      return null;
    };
    await expect(made.run(writeFileTool, { path: 'a.txt', text: 'x' }, { keep })).rejects.toThrow('changed meanwhile');
    expect(await made.read('a.txt')).toBe('written by somebody else');
  });
});

describe('apply_patch', () => {
  const patch = patchOf(
    '--- a/a.txt',
    '+++ b/a.txt',
    '@@ -1,3 +1,3 @@',
    ' alpha',
    '-beta',
    '+BETA',
    ' gamma',
    '--- /dev/null',
    '+++ b/docs/new.txt',
    '@@ -0,0 +1,2 @@',
    '+one',
    '+two',
    '--- a/old.txt',
    '+++ /dev/null',
    '@@ -1 +0,0 @@',
    '-gone',
  );
  beforeEach(() => made.write('old.txt', 'gone\n'));

  it('changes, creates and deletes files', async () => {
    expect(applyPatch.target!(patch)).toBe('a.txt, docs/new.txt, old.txt');
    expect(await made.run(applyPatch, patch)).toEqual({
      text: 'changed a.txt (+1 −1)\ncreated docs/new.txt (+2 −0)\ndeleted old.txt (+0 −1)',
      artifacts: ['a.txt', 'docs/new.txt'],
      changes: [
        { target: 'a.txt', kind: 'changed', added: 1, removed: 1, after: await shaOf('a.txt') },
        { target: 'docs/new.txt', kind: 'created', added: 2, removed: 0, after: await shaOf('docs/new.txt') },
        { target: 'old.txt', kind: 'deleted', added: 0, removed: 1, after: null },
      ],
    });
    expect(await made.read('a.txt')).toBe('alpha\nBETA\ngamma\n');
    expect(await made.read('docs/new.txt')).toBe('one\ntwo\n');
    expect((await readdir(made.workspace)).sort()).toEqual(['a.txt', 'docs']);
  });

  it('puts back what it has written if a later file cannot be written', async () => {
    let n = 0;
    const keep = async () => {
      if (++n === 3) await made.write('old.txt', 'changed by somebody else\n');
      return null;
    };
    await expect(made.run(applyPatch, patch, { keep })).rejects.toThrow('old.txt has changed meanwhile');
    expect(await made.read('a.txt')).toBe('alpha\nbeta\ngamma\n');
    expect(await readdir(join(made.workspace, 'docs'))).toEqual([]);
  });

  it.each([
    ['wrong numbers', '@@ -7,9 +7,1 @@'],
    ['no numbers', '@@'],
    ['a heading', '@@ -1,3 +1,3 @@ function main() {'],
  ])('forgives %s in the head of a hunk, blanks at the ends of lines, and an empty line at the end', async (_, head) => {
    await made.run(applyPatch, patchOf('--- a.txt', '+++ a.txt', head, ' alpha  ', '-beta', '+BETA', ' gamma', '', ''));
    expect(await made.read('a.txt')).toBe('alpha\nBETA\ngamma\n');
  });

  it('keeps the line ends of the file, also of one with both sorts', async () => {
    const change = patchOf('--- a.txt', '+++ a.txt', '@@ -1,2 +1,3 @@', ' one', '-two', '+2', '+and');
    for (const [before, after] of [
      ['one\r\ntwo\r\n', 'one\r\n2\r\nand\r\n'],
      ['one\r\ntwo\r\nthree\n', 'one\r\n2\r\nand\r\nthree\n'],
      ['one\r\ntwo', 'one\r\n2\r\nand'],
    ] as const) {
      await made.write('a.txt', before);
      await made.run(applyPatch, change);
      expect(await made.read('a.txt')).toBe(after);
    }
  });

  it('says which hunk does not fit, and what is there instead', async () => {
    const lines = ['@@ -1,1 +1,1 @@', '-alpha', '+ALPHA', '@@ -2,2 +2,2 @@', '-Beta', '+BETA', ' gamma'];
    await expect(made.run(applyPatch, patchOf('--- a.txt', '+++ a.txt', ...lines))).rejects.toThrow(
      /hunk 2 does not fit a\.txt.*\n1: alpha\n2: beta/,
    );
    expect(await made.read('a.txt')).toBe('alpha\nbeta\ngamma\n');
  });

  it.each([
    ['a text that is no patch', ['*** Begin Patch', '*** Update File: a.txt'], 'begins with a line "--- old"'],
    ['a new name', ['--- a/a.txt', '+++ b/b.txt', '@@ -1 +1 @@', '-alpha', '+x'], 'cannot rename'],
    ['a new file that is there', ['--- /dev/null', '+++ b/a.txt', '@@ -0,0 +1 @@', '+x'], 'is there already'],
    ['half of a deletion', ['--- a/a.txt', '+++ /dev/null', '@@ -1 +0,0 @@', '-alpha'], 'leaves some of its lines'],
    [
      'a file that is not there',
      ['--- a/z.txt', '+++ b/z.txt', '@@ -1 +1 @@', '-x', '+y'],
      'there is no file z.txt; the workspace has a.txt',
    ],
    ['a path outside', ['--- a/../z.txt', '+++ b/../z.txt', '@@ -1 +1 @@', '-x', '+y'], 'outside the workspace'],
    ['a mode', ['diff --git a/a.txt b/a.txt', 'old mode 100644', 'new mode 100755'], 'begins with a line "--- old"'],
  ])('refuses %s, and asks nobody', async (_, lines, message) => {
    await expect(made.preview(applyPatch, patchOf(...lines))).rejects.toThrow(message);
    await expect(made.run(applyPatch, patchOf(...lines))).rejects.toThrow(message);
  });
});

describe('a preview', () => {
  it('shows what would change, and changes nothing', async () => {
    const { text } = await made.preview(editFileTool, swap('beta', 'BETA'));
    expect(text).toBe(
      [
        'changes a.txt: 17 bytes → 17 bytes (+1 −1)',
        '--- a.txt',
        '+++ a.txt',
        '@@ -1,3 +1,3 @@',
        ' alpha',
        '-beta',
        '+BETA',
        ' gamma',
      ].join('\n'),
    );
    expect(await made.read('a.txt')).toBe('alpha\nbeta\ngamma\n');
  });

  it('says whether a file is new, replaced, deleted or left as it is', async () => {
    await made.write('bin.dat', Buffer.from([0, 1, 2]));
    await made.write('w.txt', '\uFEFFone\r\n');
    const head = async (tool: Tool, args: unknown) => (await made.preview(tool, args)).text.split('\n')[0];
    expect(await head(writeFileTool, { path: 'docs/new.txt', text: 'one\n' })).toBe('new file docs/new.txt: 4 bytes (+1 −0)');
    expect(await head(writeFileTool, { path: 'a.txt', text: 'one\n' })).toBe('replaces a.txt: 17 bytes → 4 bytes (+1 −3)');
    expect(await head(writeFileTool, { path: 'a.txt', text: 'alpha\nbeta\ngamma\n' })).toMatch(/^leaves a\.txt as it is/);
    expect(await head(writeFileTool, { path: 'bin.dat', text: 'x' })).toBe(
      'replaces bin.dat: 3 bytes that are not text → 1 byte (+1)',
    );
    expect(await head(writeFileTool, { path: 'w.txt', text: 'two\n' })).toMatch(/keeps UTF-8 with a byte order mark, CRLF/);
    const deletes = patchOf('--- a/w.txt', '+++ /dev/null', '@@ -1 +0,0 @@', '-one');
    expect(await head(applyPatch, deletes)).toBe('deletes w.txt: 8 bytes (+0 −1)');
  });

  it('of a long change is cut between lines, says how much is left out, and has the whole beside it', async () => {
    const text = Array.from({ length: 900 }, (_, i) => `line ${i} 👩‍🚀`).join('\n');
    const { text: shown, whole } = await made.preview(writeFileTool, { path: 'long.txt', text });
    expect(shown.length).toBeLessThan(4_200);
    const [, lines] = /\n\[… (\d+) more lines, \d+ characters\]$/.exec(shown)!;
    const rows = shown.split('\n').filter((row) => row.startsWith('+line'));
    expect(rows.every((row) => /^\+line \d+ 👩‍🚀$/.test(row))).toBe(true);
    expect(shown.split('\n').length).toBeLessThanOrEqual(42);
    expect(rows.length + Number(lines)).toBe(901);
    expect(whole!.split('\n').filter((row) => row.startsWith('+line'))).toHaveLength(900);
    expect((await made.preview(writeFileTool, { path: 'long.txt', text: 'x'.repeat(9_000) })).text.length).toBeLessThan(4_200);
  });

  it('of two texts that have nothing in common is still made in time', async () => {
    const lines = (word: string) => Array.from({ length: 20_000 }, (_, i) => `${word} ${i}`).join('\n');
    await made.write('a.txt', lines('old'));
    const { text } = await made.preview(writeFileTool, { path: 'a.txt', text: lines('n').slice(0, 190_000) });
    expect(text).toMatch(/\(\+\d+ −20000\)\n--- a\.txt/);
  });

  it.each([
    ['outside of the workspace', '../x.txt', 'outside'],
    ['a folder', 'docs', 'docs is a folder'],
    ['below a file', 'a.txt/x', 'not a folder'],
    ['a name that is too long', 'x'.repeat(300), 'too long'],
  ])('is not made of a file that could not be written: %s', async (_, path, message) => {
    await mkdir(join(made.workspace, 'docs'));
    await expect(made.preview(writeFileTool, { path, text: 'x' })).rejects.toThrow(message);
  });

  it('is not made of a text that is not in the file', async () => {
    await expect(made.preview(editFileTool, swap('delta', 'x'))).rejects.toThrow('does not have this text');
    await expect(made.preview(editFileTool, swap('beta', 'beta'))).rejects.toThrow('are the same');
  });

  it('holds: a file that is another one by then is not written', async () => {
    for (const [tool, args] of [
      [writeFileTool, { path: 'a.txt', text: 'new' }],
      [editFileTool, swap('beta', 'BETA')],
    ] as const) {
      await made.write('a.txt', 'alpha\nbeta\ngamma\n');
      const { base } = await made.preview(tool, args);
      await made.write('a.txt', 'alpha\nbeta\ndelta\n');
      await expect(made.run(tool, args, { base })).rejects.toBeInstanceOf(Outdated);
      await rm(join(made.workspace, 'a.txt'));
      await expect(made.run(tool, args, { base })).rejects.toBeInstanceOf(Outdated);
      await made.write('a.txt', 'alpha\nbeta\ngamma\n');
      await made.run(tool, args, { base });
    }
    const { base } = await made.preview(writeFileTool, { path: 'new.txt', text: 'x' });
    await made.write('new.txt', 'made by somebody else');
    await expect(made.run(writeFileTool, { path: 'new.txt', text: 'x' }, { base })).rejects.toBeInstanceOf(Outdated);
    expect(await made.read('new.txt')).toBe('made by somebody else');
  });
});

it('names of files are relative to a workspace that is reached through a link, too', async () => {
  await symlink(made.workspace, join(made.folder, 'link'));
  const context = { workspace: join(made.folder, 'link') };
  expect((await made.run(editFileTool, swap('beta', 'BETA'), context)).changes).toMatchObject([{ target: 'a.txt' }]);
  expect((await made.run(readFileTool, { path: 'a.txt' }, context)).sources).toEqual(['a.txt']);
  expect((await made.run(searchFiles, { query: 'BETA' }, context)).text).toBe('a.txt:2: BETA');
});

describe('a call that runs again after a crash', () => {
  const patch = patchOf(
    '--- a.txt',
    '+++ a.txt',
    '@@ -3 +3,2 @@',
    ' gamma',
    '+gamma',
    '--- /dev/null',
    '+++ b.txt',
    '@@ -0,0 +1 @@',
    '+x',
  );
  it.each<[string, Tool, unknown]>([
    ['writes a new file', writeFileTool, { path: 'new.txt', text: 'one\ntwo' }],
    ['writes over a file', writeFileTool, { path: 'a.txt', text: 'one\ntwo' }],
    ['edits', editFileTool, swap('beta', 'BETA')],
    ['edits so that the old text is there again', editFileTool, swap('beta\n', 'beta\nbeta\n')],
    ['takes text out', editFileTool, swap('beta\n', '')],
    ['patches so that the patch would fit again', applyPatch, patch],
  ])('reports the same and does nothing twice: it %s', async (_, tool, args) => {
    const { base } = await made.preview(tool, args);
    for (const shown of [{}, { base }]) {
      await made.write('a.txt', 'alpha\nbeta\ngamma\n');
      for (const name of ['new.txt', 'b.txt']) await rm(join(made.workspace, name), { force: true });
      const keeper = new Keeper();
      const first = await made.run(tool, args, { ...shown, keep: keeper.forRun() });
      const after = await made.read('a.txt');
      expect(await made.run(tool, args, { ...shown, keep: keeper.forRun() })).toEqual(first);
      expect(await made.read('a.txt')).toBe(after);
    }
  });

  it('goes on with the files that the first run did not reach', async () => {
    const keeper = new Keeper();
    const first = await made.run(applyPatch, patch, { keep: keeper.forRun() });
    await rm(join(made.workspace, 'b.txt'));
    expect(await made.run(applyPatch, patch, { keep: keeper.forRun() })).toEqual(first);
    expect(await made.read('b.txt')).toBe('x\n');
    expect(await made.read('a.txt')).toBe('alpha\nbeta\ngamma\ngamma\n');
  });

  it('has kept the file as it was before the first run, with its mode', async () => {
    await chmod(join(made.workspace, 'a.txt'), 0o750);
    const keeper = new Keeper();
    const { changes } = await made.run(editFileTool, swap('beta', 'BETA'), { keep: keeper.forRun() });
    expect(changes).toMatchObject([{ before: 'k3xq.1/s1-0/0' }]);
    expect(Buffer.from(keeper.kept[0]!.bytes).toString()).toBe('alpha\nbeta\ngamma\n');
    expect(keeper.kept[0]!.mode! & 0o777).toBe(0o750);
    expect((await stat(join(made.workspace, 'a.txt'))).mode & 0o777).toBe(0o750);
    const created = await made.run(writeFileTool, { path: 'new.txt', text: 'x' }, { keep: new Keeper().forRun() });
    expect(created.changes).toMatchObject([{ kind: 'created', before: null }]);
  });
});

it('a patch made of what was shown turns the old text into the new one, whatever the two are', async () => {
  const line = fc.constantFrom('a', 'b', 'c', '', '-- x', '++ y', '@@ z', '\\ n', 'é');
  const text = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
    .map(([rows, ends]) => rows.join('\n') + (ends ? '\n' : ''));
  await fc.assert(
    fc.asyncProperty(text, text, async (before, after) => {
      fc.pre(before !== after && before !== '');
      await made.write('p.txt', before);
      const { text: shown } = await made.preview(writeFileTool, { path: 'p.txt', text: after });
      await made.run(applyPatch, { patch: shown.slice(shown.indexOf('--- ')) });
      expect(await made.read('p.txt')).toBe(after);
    }),
    { numRuns: 200 },
  );
});
