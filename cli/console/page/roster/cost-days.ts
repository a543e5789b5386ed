/** Rows of the verb `costs` as a column for each day, with a part for each backend. */

export interface CostRow {
  readonly day?: string;
  readonly backend?: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  readonly estimatedUsd?: number;
  readonly savedUsd?: number;
}
export interface CostsReply {
  readonly rows: readonly CostRow[];
  readonly total: CostRow;
  readonly more: number;
  readonly reference?: { readonly input: number; readonly output: number } | null;
}

export const days = 90;
/** Colours of backends; a further one has the colour of an earlier one, and its name in the table. */
export const mostBackends = 6;

interface Column {
  readonly day: string;
  readonly parts: readonly { readonly backend: string; readonly costUsd: number }[];
}

/** @param since ISO time of the first day. */
export function byDay({ rows }: CostsReply, since: string): { columns: Column[]; backends: string[]; most: number } {
  const sums = new Map<string, number>();
  for (const { backend = '', costUsd } of rows) sums.set(backend, (sums.get(backend) ?? 0) + costUsd);
  const backends = [...sums].sort((a, b) => b[1] - a[1]).map(([backend]) => backend);
  const columns = Array.from({ length: days }, (_, at): Column => {
    const day = new Date(Date.parse(since) + at * 86_400_000).toISOString().slice(0, 10);
    const ofDay = rows.filter((row) => row.day === day);
    const parts = backends.flatMap((backend) => {
      const costUsd = ofDay.filter((row) => (row.backend ?? '') === backend).reduce((sum, row) => sum + row.costUsd, 0);
      return costUsd > 0 ? [{ backend, costUsd }] : [];
    });
    return { day, parts };
  });
  const most = Math.max(0, ...columns.map(({ parts }) => parts.reduce((sum, { costUsd }) => sum + costUsd, 0)));
  return { columns, backends, most };
}
