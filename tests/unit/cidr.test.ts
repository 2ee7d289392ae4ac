import fc from "fast-check";
import { expect, test } from "vitest";
import {
  contains,
  formatAddress,
  overlap,
  parseAddress,
  parseCidr,
  size,
  usableInSubnetwork,
} from "../../config/cidr.ts";
import type { Range } from "../../config/cidr.ts";

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const range = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([inside, prefix]): Range => {
  const first = inside - (inside % size(prefix));
  return { first, last: first + size(prefix) - 1, prefix };
});

test("an address survives being written and read", () => {
  fc.assert(fc.property(address, (value) => parseAddress(formatAddress(value)) === value));
});

test("a range survives being written and read", () => {
  fc.assert(
    fc.property(range, (value) => {
      expect(parseCidr(`${formatAddress(value.first)}/${value.prefix}`)).toEqual(value);
    }),
  );
});

test("a range is refused unless it begins with its first address", () => {
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 32 }), (value, prefix) => {
      const accepted = parseCidr(`${formatAddress(value)}/${prefix}`) !== undefined;
      expect(accepted).toBe(value % size(prefix) === 0);
    }),
  );
});

test("overlap is the same both ways, and two ranges overlap exactly if one begins in the other", () => {
  fc.assert(
    fc.property(range, range, (a, b) => {
      expect(overlap(a, b)).toBe(overlap(b, a));
      expect(overlap(a, b)).toBe(contains(a, b.first) || contains(b, a.first));
    }),
  );
});

test("a range overlaps itself and contains its own ends", () => {
  fc.assert(fc.property(range, (a) => overlap(a, a) && contains(a, a.first) && contains(a, a.last)));
});

test("four addresses of a subnetwork are Google's", () => {
  const subnetwork = parseCidr("10.248.0.0/20") ?? { first: 0, last: 0, prefix: 32 };
  const usable = (text: string) => usableInSubnetwork(subnetwork, parseAddress(text) ?? -1);
  expect(["10.248.0.0", "10.248.0.1", "10.248.15.254", "10.248.15.255", "10.248.16.0"].some(usable)).toBe(
    false,
  );
  expect(["10.248.0.2", "10.248.1.4", "10.248.15.253"].every(usable)).toBe(true);
});

test.each(["", "10.0.0", "10.0.0.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.-1", "a.b.c.d", " 10.0.0.1"])(
  "%j is no address",
  (text) => {
    expect(parseAddress(text)).toBeUndefined();
  },
);

test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "/8", "10.0.0.0/8/8"])(
  "%j is no range",
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
  },
);
