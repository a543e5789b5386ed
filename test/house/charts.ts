/** The charts of the house, each with its page and its picture in docs/diagrams, and the picture of a sub-agent’s life. */
import type { AnyStateMachine } from 'xstate';
import { svgOf } from '../../cli/chart/chart-svg.ts';
import { chartPicture } from '../../machines/chart/chart-picture.ts';
import type { Picture } from '../../machines/chart/picture.ts';
import { primary } from '../../machines/primary.ts';
import { subAgent } from '../../machines/sub-agent.ts';
import { supervisor } from '../../machines/supervisor.ts';
import { pageOf } from './diagram.ts';
import { lifePicture } from './life-picture.ts';

const charts: Readonly<Record<string, AnyStateMachine>> = { 'sub-agent': subAgent, supervisor, primary };

/** Each picture has the direction in which it is narrower: a page shows about 840 pixels without scaling it down. */
export const pictures: Readonly<Record<string, Picture>> = {
  'sub-agent': chartPicture(subAgent, 'down'),
  supervisor: chartPicture(supervisor, 'right'),
  primary: chartPicture(primary, 'down'),
  'sub-agent-life': lifePicture(subAgent),
};

/** File name in docs/diagrams → text. */
export async function files(): Promise<Record<string, string>> {
  const pages = Object.entries(charts).map(([name, machine]) => [`${name}.md`, pageOf(machine, `machines/${name}.ts`)]);
  const svgs = await Promise.all(
    Object.entries(pictures).map(async ([name, picture]) => {
      const { light, dark } = await svgOf(picture);
      return [
        [`${name}.svg`, light],
        [`${name}-dark.svg`, dark],
      ];
    }),
  );
  return Object.fromEntries([...pages, ...svgs.flat()]);
}
