/** Writes docs/diagrams from the charts of machines/. It imports TypeScript, so it needs the checkout's Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { files } from '../test/house/charts.ts';

const folder = new URL('../docs/diagrams/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(await files())) writeFileSync(new URL(name, folder), text);
