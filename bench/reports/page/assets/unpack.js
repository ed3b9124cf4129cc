// Undoes bench/reports/page/packing.py: base64, deflate, differences, fixed steps.
"use strict";

const UNKNOWN = -32768;

/** Columns of numbers, each a Float32Array with NaN for none. */
async function unpack(text, width, steps) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(inflated).arrayBuffer());
  const total = planes.length / 2;
  const rows = total / width;
  return Array.from({ length: width }, (_, column) => {
    const numbers = new Float32Array(rows);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const place = column * rows + row;
      sum = (sum + planes[place] + (planes[total + place] << 8)) << 16 >> 16;
      numbers[row] = sum === UNKNOWN ? NaN : sum / steps;
    }
    return numbers;
  });
}

/** The corners of a region in a frame, null where there is none. */
function corners(columns, frame) {
  if (!columns || frame >= columns[0].length) return null;
  const row = columns.map((column) => column[frame]);
  if (row.some(Number.isNaN)) return null;
  if (row.length > 4) return Array.from({ length: row.length / 2 }, (_, i) => [row[2 * i], row[2 * i + 1]]);
  const [x, y, width, height] = row;
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
}

/** The numbers of the mask of each frame; none where there is no mask. */
async function unpackMasks({ counts, numbers }) {
  const [[lengths], [all]] = [await unpack(counts, 1, 1), await unpack(numbers, 1, 1)];
  let place = 0;
  return [...lengths].map((length) => all.slice(place, place += length));
}

/** Whether a frame lies in one of the spans [first, last]. */
function isWithin(spans, frame) {
  return spans.some(([first, last]) => first <= frame && frame <= last);
}
