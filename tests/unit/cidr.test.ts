import fc from "fast-check";
import { expect, test } from "vitest";
import { isUsableInSubnetwork, overlap, parseCidr, usableInSubnetwork } from "../../config/cidr.ts";

/** An address as a number, written without the code under test. */
const written = (address: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const range = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([inside, prefix]) => ({
  first: inside - (inside % 2 ** (32 - prefix)),
  size: 2 ** (32 - prefix),
  prefix,
}));

type Plain = typeof range extends fc.Arbitrary<infer T> ? T : never;

function parsed({ first, prefix }: Plain) {
  const netmask = parseCidr(`${written(first)}/${prefix}`);
  if (netmask === undefined) throw new Error("no range");
  return netmask;
}

test("reads every range with its size", () => {
  fc.assert(
    fc.property(range, (one) => {
      expect(parsed(one)).toMatchObject({ base: written(one.first), bitmask: one.prefix, size: one.size });
    }),
  );
});

test("refuses a range that doesn't begin with its first address", () => {
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 32 }), (value, prefix) => {
      const accepted = parseCidr(`${written(value)}/${prefix}`) !== undefined;
      expect(accepted).toBe(value % 2 ** (32 - prefix) === 0);
    }),
  );
});

test("finds exactly the ranges that have an address in common", () => {
  fc.assert(
    fc.property(range, range, (a, b) => {
      const common = a.first < b.first + b.size && b.first < a.first + a.size;
      expect(overlap(parsed(a), parsed(b))).toBe(common);
    }),
  );
});

test("leaves out the four addresses of a subnetwork that Google keeps", () => {
  const subnetworks = range.filter(({ prefix }) => prefix >= 8 && prefix <= 29);
  fc.assert(
    fc.property(subnetworks, fc.integer({ min: -3, max: 3 }), (one, offset) => {
      const { first, last } = usableInSubnetwork(parsed(one));
      expect([first, last]).toEqual([written(one.first + 2), written(one.first + one.size - 3)]);
      const near = one.first + 2 + offset;
      fc.pre(near >= 0);
      expect(isUsableInSubnetwork(parsed(one), written(near))).toBe(offset >= 0 && 2 + offset < one.size - 2);
    }),
  );
});

test.each([
  ...["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "/8", "10.0.0.0/8/8", "10.0.0/8", "010.0.0.0/8"],
  ...["10.0.0.256/32", "0x0a.0.0.0/8", " 10.0.0.0/8", "10.0.0.0/8 ", "::/0", "10.0.0.0/255.0.0.0"],
])("%j is no range", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});
