import { expect, test } from 'vitest';
import { announced } from '../../../../actors/tools/browser/consequence-words.ts';

test.each([
  ['Send message', ['submit']],
  ['Jetzt kaufen', ['buy']],
  ['Zahlungspflichtig bestellen', ['buy']],
  ['Supprimer', ['delete']],
  ['S’inscrire', ['submit']],
  ['Eliminar cuenta', ['delete']],
  ['购买', ['buy']],
  ['アカウントを削除', ['delete']],
  ['Оплатить', ['buy']],
  ['Pay & delete draft', ['buy', 'delete']],
  ['PLACE ORDER', ['buy']],
  ['Menu', []],
  ['Sender', []],
  ['Payment methods', []],
  [`We send it when you pay. ${'More about it. '.repeat(10)}`, []],
])('%s', (label, sorts) => {
  expect(announced(label)).toEqual(sorts);
});
