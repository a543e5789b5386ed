/** The two states of a page that has no data: it waits for it, or it could not be loaded. */
import type { Asked } from '../asked.ts';
import { line } from '../text.ts';

export function Notice({ of: { data, error, again } }: { of: Asked<unknown> }) {
  if (error.value !== null)
    return (
      <p class="notice bad" role="alert">
        {data.value === null ? 'This could not be loaded' : 'This may be out of date'}: {line(error.value, 200)}{' '}
        <button type="button" onClick={again}>
          Try again
        </button>
      </p>
    );
  return data.value === null ? <p class="notice">Loading …</p> : null;
}
