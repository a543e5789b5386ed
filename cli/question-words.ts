/** How each kind of question reads behind the name of its task: on the terminal, and in the page of the console. */
import type { Question } from '../bus/messages.ts';

export const asking: Readonly<Record<Question['kind'], string>> = {
  asked: 'asks',
  approval: 'wants approval',
  'in-doubt': 'is in doubt',
  budget: 'is out of budget',
  stuck: 'is stuck',
  checkpoint: 'cannot go on',
};
