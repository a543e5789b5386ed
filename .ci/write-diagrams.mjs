/** Writes docs/diagrams from the charts of machines/. Runs the sources as they are: needs the checkout's own Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { files } from '../test/house/charts.ts';

const folder = new URL('../docs/diagrams/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(await files())) writeFileSync(new URL(name, folder), text);
