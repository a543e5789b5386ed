/** The pictures that a call shows to the model, by reference, with the size that is in their headers. */
import type { Picture } from '../../machines/conversation.ts';
import { messageOf } from '../../platform/errors.ts';
import type { ToolContext } from '../tools/tool.ts';
import { pictureHead } from '../tools/vision/format.ts';

/** Most pictures of one call. */
const most = 16;

/**
 * @param refs as the tool returned them.
 * @returns the pictures, and for each of the others a line for the model that says why it is not shown.
 */
export async function shownPictures(
  refs: readonly string[],
  read: NonNullable<ToolContext['artifact']>,
): Promise<{ pictures: Picture[]; problems: string[] }> {
  const unique = [...new Set(refs)];
  const pictures: Picture[] = [];
  const problems = unique.slice(most).map((ref) => `[${ref} is not shown: at most ${most} pictures are, of one call]`);
  for (const ref of unique.slice(0, most))
    try {
      const { type, width, height } = await pictureHead(ref, (await read(ref)).bytes);
      pictures.push({ ref, type, width, height });
    } catch (cause) {
      problems.push(`[${ref} is not shown: ${messageOf(cause)}]`);
    }
  return { pictures, problems };
}
