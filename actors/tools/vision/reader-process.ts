/**
 * The process in which pictures and documents are decoded and read: hostile input may block it, fill its memory or crash it, and
 * the node stays up. It answers one request and ends. It ends with its parent, too.
 */
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../../platform/errors.ts';
import type { Asked, Form, Told } from './reading.ts';

endWithParent();
process.once('message', (asked: Asked) => {
  void answer(asked)
    .then((gives): Told => ({ ok: true, gives }))
    .catch((cause: unknown): Told => ({ ok: false, words: messageOf(cause) }))
    // Workers of the OCR would keep the process alive.
    .then((told) => process.send!(told, () => process.exit()));
});

/** A thread of its own ends the process after its parent, also while the reading blocks the first thread. */
function endWithParent(): void {
  process.once('disconnect', () => process.exit());
  const watch = `
    const parent = ${process.ppid};
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  new Worker(watch, { eval: true }).unref();
}

async function answer(asked: Asked): Promise<unknown> {
  const { sets } = asked;
  switch (asked.kind) {
    case 'scale': {
      const { scaled } = await import('./canvas-work.ts');
      return scaled(sets.pictures!, asked.bytes, asked.to);
    }
    case 'text': {
      const { textOf } = await import('./ocr-work.ts');
      return textOf({ ocr: sets.ocr!, ...(sets.pictures && { pictures: sets.pictures }) }, asked);
    }
    case 'form':
      return formIn(sets.ocr!, sets.pictures!, asked.bytes);
    case 'document': {
      const { pagesOf } = await import('./pdf-work.ts');
      return pagesOf({ documents: sets.documents!, ...(sets.ocr && { ocr: sets.ocr }) }, asked.bytes, asked.pages);
    }
  }
}

async function formIn(ocrFolder: string, canvasFolder: string, bytes: Uint8Array): Promise<Form> {
  const { drawn } = await import('./canvas-work.ts');
  const { maxOcrPixels, openOcr } = await import('./ocr-work.ts');
  const { framesIn, toGrey } = await import('./input-frames.ts');
  const { checkBoxesIn } = await import('./check-boxes.ts');
  const canvas = await drawn(canvasFolder, bytes, { side: 16_384, pixels: maxOcrPixels });
  const { width, height } = canvas;
  const context = canvas.getContext('2d');
  const grey = toGrey(width, height, context.getImageData(0, 0, width, height).data);
  const checkBoxes = checkBoxesIn(grey);
  // The OCR takes a check box for letters of the word beside it.
  for (const { box } of checkBoxes) {
    const margin = grey.pixels[Math.max(0, box.y - 1) * width + box.x + (box.width >> 1)]!;
    context.fillStyle = `rgb(${margin} ${margin} ${margin})`;
    context.fillRect(box.x, box.y, box.width, box.height);
  }
  const ocr = await openOcr(ocrFolder, true);
  const { lines } = await ocr.read(await canvas.encode('png'));
  await ocr.close();
  return { lines, frames: framesIn(grey), checkBoxes };
}
