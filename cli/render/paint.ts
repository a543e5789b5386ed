/** Colour for terminals only, and not with NO_COLOR (no-color.org), `--no-color` or TERM=dumb. */
const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
} as const;
export type Paint = Readonly<Record<keyof typeof codes, (text: string) => string>>;

const painted = (on: boolean): Paint => {
  const entries = Object.entries(codes).map(([name, [open, close]]) => [
    name,
    on ? (text: string) => `\u001b[${open}m${text}\u001b[${close}m` : (text: string) => text,
  ]);
  return Object.fromEntries(entries) as Paint;
};

export const plain: Paint = painted(false);

export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv, wanted: boolean): Paint {
  const off = !wanted || !stream.isTTY || Boolean(env.NO_COLOR) || env.TERM === 'dumb';
  return off ? plain : painted(true);
}
