// Records what an independent library says of many amounts: npm install read-vietnamese-number@2.3.1,
// then `node tests/core/record_words.mjs > tests/core/independent_words.json`.
// A thousand amounts are one line: the first 16 hex digits of SHA-256 over their words, one a line.
import { createHash } from "node:crypto";
import { ReadingConfig, doReadNumber } from "read-vietnamese-number";

const config = (zeroTens, four) =>
  Object.assign(new ReadingConfig(), {
    unit: [],
    units: [[], ["nghìn"], ["triệu"], ["tỷ"]],
    oddText: zeroTens,
    fourToneText: four,
  });

const digests = (amounts, how) => {
  const found = [];
  for (let start = 0; start < amounts.length; start += 1000) {
    const words = amounts.slice(start, start + 1000).map((n) => doReadNumber(String(n), how));
    found.push(createHash("sha256").update(words.join("\n")).digest("hex").slice(0, 16));
  }
  return found;
};

const everyOne = Array.from({ length: 1_000_000 }, (_, n) => n);
const scattered = Array.from({ length: 50_000 }, (_, k) => (BigInt(k) * 7_919_104_729n) % 10n ** 13n);
const south = config("lẻ", "bốn");
const north = config("linh", "tư");
console.log(
  JSON.stringify({
    library: "read-vietnamese-number 2.3.1",
    every_amount_below_a_million: { south: digests(everyOne, south), north: digests(everyOne, north) },
    scattered_below_ten_trillion: { south: digests(scattered, south), north: digests(scattered, north) },
  }),
);
