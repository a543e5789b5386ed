/** Reads the text format of Prometheus, version 0.0.4, and throws for anything that is not in it. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function parseExposition(text: string): { samples: Sample[]; types: Record<string, string> } {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const samples: Sample[] = [];
  const types: Record<string, string> = {};
  for (const line of text.split('\n').filter(Boolean)) {
    const [, typed, type] = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (typed && type) {
      if (types[typed]) throw new Error(`${typed} has two types`);
      types[typed] = type;
    } else if (!/^# HELP [a-zA-Z_:][\w:]* [^\n]+$/.test(line)) samples.push(sampleOf(line));
  }
  for (const { name } of samples)
    if (!types[name] && !types[name.replace(/_(bucket|sum|count)$/, '')]) throw new Error(`${name} has no type`);
  return { samples, types };
}

function sampleOf(line: string): Sample {
  const [, name = '', , inside = '', number = ''] =
    /^([a-zA-Z_:][\w:]*)(\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line) ?? [];
  const value = Number(number);
  if (!name || number === '' || Number.isNaN(value)) throw new Error(`not a sample: ${line}`);
  const labels = [...inside.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\["\\n])*)"/g)].map(([, label, text]) => [
    label,
    text!.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char)),
  ]);
  return { name, labels: Object.fromEntries(labels), value };
}
