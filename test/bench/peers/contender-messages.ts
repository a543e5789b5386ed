/** Messages between the benchmark and the process of a contender. */
export type ToContender = { readonly fanOut: number };

export type FromContender =
  | { readonly is: 'saying'; readonly line: string }
  | { readonly is: 'ready'; readonly name: string; readonly stores: string }
  | { readonly is: 'unavailable'; readonly reason: string }
  | { readonly is: 'done'; readonly usEach: number }
  | { readonly is: 'failed'; readonly message: string };
