/** A roster for people: the backends with their knobs, then the rules. */
import type { RosterReport } from '../../bus/roster-report.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

/** @param from the file, in words. */
export function rosterLines(report: Omit<RosterReport, 'node'>, from: string, paint: Paint): string[] {
  const { backends, budgets, supervision, routing, reducer, coordinator } = report;
  const usd = (limit: number | null): string => (limit === null ? 'no limit' : `$${limit}`);
  return [
    ...backends.flatMap((each) => {
      const { name, tier, model, kind, on, goodAt, canOrchestrate, canDelegate, vision, cost, concurrency, why } = each;
      const price =
        cost === null ? 'price not known' : cost.input + cost.output === 0 ? 'free' : `$${cost.input} in, $${cost.output} out`;
      const knobs = [
        `good at ${goodAt.map((word) => oneLine(word)).join(', ') || 'nothing'}`,
        canOrchestrate ? 'may orchestrate' : 'may not orchestrate',
        ...(canDelegate ? [] : ['gets no sub-tasks']),
        ...(vision ? ['sees pictures'] : []),
        `${concurrency} at once`,
        price,
      ];
      return [
        `${on ? paint.green('on ') : paint.dim('off')} ${paint.bold(oneLine(name, 64))}  ${oneLine(tier)}${paint.dim(' · ')}${oneLine(model ?? kind, 120)}`,
        `    ${knobs.join(paint.dim(' · '))}`,
        ...(on && why !== null ? [`    ${paint.yellow(oneLine(why, 400))}`] : []),
      ];
    }),
    `budgets      a goal ${usd(budgets.goalUsd)}, a sub-task ${usd(budgets.taskUsd)}`,
    `supervision  ${supervision.concurrency} sub-tasks at once, at most ${supervision.maxTasks} in a plan, ${supervision.maxDepth} deep; on failure ${oneLine(supervision.onFailure)}`,
    `routing      ${routing.tiers.map((tier) => oneLine(tier)).join(', ')}${routing.rotate ? '; in rotation among equals' : ''}`,
    `reducer      ${oneLine(reducer, 64)} (coordinator ${oneLine(coordinator)})`,
    paint.dim(`from ${oneLine(from, 400)}`),
  ];
}
