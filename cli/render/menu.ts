/** The backends as a menu: strengths, price, and the reason if one is not available. */
import type { Learnt } from '../../roster/lessons.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import type { Probe } from '../../roster/probe.ts';
import { dollars } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';
import { timeAndAge } from './times.ts';

export function menuLines(
  menu: readonly (MenuEntry & { readonly probe?: Probe | undefined })[],
  paint: Paint,
  now: Date,
): string[] {
  if (menu.length === 0) return ['The roster has no backends.'];
  const width = Math.max(...menu.map(({ name }) => oneLine(name).length));
  return menu.flatMap((entry) => {
    const mark = entry.available ? paint.green('✓') : paint.red('✗');
    const facts = [
      entry.tier,
      oneLine(entry.model ?? entry.kind),
      entry.goodAt.map((word) => oneLine(word)).join(', '),
      entry.canOrchestrate ? 'can orchestrate' : '',
      entry.vision ? 'sees pictures' : '',
      price(entry.cost),
      entry.context ? `${Math.round(entry.context / 1000)}k context` : '',
    ].filter((fact) => fact !== '');
    const why = entry.why ? ` ${paint.yellow(`(${oneLine(entry.why, 400)})`)}` : '';
    return [
      `${mark} ${paint.bold(oneLine(entry.name).padEnd(width))}  ${facts.join(paint.dim(' · '))}${why}`,
      ...(entry.probe ? [`    ${probeLine(entry.probe, paint)}`] : []),
      ...(entry.learnt ?? []).map((lesson) => `    ${paint.dim(learntLine(lesson, now))}`),
    ];
  });
}

function probeLine(probe: Probe, paint: Paint): string {
  if (!probe.answers) return paint.red(`asked now: ${oneLine(probe.why, 400)}`);
  const found = [
    `answered in ${probe.replyMs} ms`,
    probe.callsTools ? 'calls tools' : 'did not call the tool',
    probe.fitsShape ? 'gives JSON of a given shape' : 'gave no JSON of the given shape',
    probe.tellsThoughts ? 'tells its thoughts' : '',
    probe.costUsd > 0 ? `cost ${dollars(probe.costUsd)}` : '',
  ];
  return paint.dim(`asked now: ${found.filter(Boolean).join(' · ')}`);
}

export const learntLine = ({ what, why, since }: Learnt, now: Date): string =>
  `since ${timeAndAge(since, now)} ${oneLine(what, 200)}: ${oneLine(why, 400)}`;

const price = (cost: MenuEntry['cost']): string =>
  cost === null ? '' : cost.input + cost.output === 0 ? 'free' : `$${cost.input} in, $${cost.output} out per million tokens`;
