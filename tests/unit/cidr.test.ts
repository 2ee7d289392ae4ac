import fc from "fast-check";
import { expect, test } from "vitest";
import { isUsableInSubnetwork, usableInSubnetwork } from "../../config/cidr.ts";
import { overlap, parseCidr } from "../../lib/cidr.ts";

/** Formats an address that is given as an integer. Does not use the code under test. */
const formatted = (address: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const range = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([inside, prefix]) => ({
  first: inside - (inside % 2 ** (32 - prefix)),
  size: 2 ** (32 - prefix),
  prefix,
}));

type Plain = typeof range extends fc.Arbitrary<infer T> ? T : never;

function parsed({ first, prefix }: Plain) {
  const netmask = parseCidr(`${formatted(first)}/${prefix}`);
  if (netmask === undefined) throw new Error("not a range");
  return netmask;
}

test("parses ranges with their size", () => {
  fc.assert(
    fc.property(range, (one) => {
      expect(parsed(one)).toMatchObject({ base: formatted(one.first), bitmask: one.prefix, size: one.size });
    }),
  );
});

test("rejects a range whose address is not the first one of the range", () => {
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 32 }), (value, prefix) => {
      const accepted = parseCidr(`${formatted(value)}/${prefix}`) !== undefined;
      expect(accepted).toBe(value % 2 ** (32 - prefix) === 0);
    }),
  );
});

test("reports overlap exactly if the ranges have an address in common", () => {
  fc.assert(
    fc.property(range, range, (a, b) => {
      const common = a.first < b.first + b.size && b.first < a.first + a.size;
      expect(overlap(parsed(a), parsed(b))).toBe(common);
    }),
  );
});

test("excludes the four addresses of a subnetwork that Google Cloud reserves", () => {
  const subnetworks = range.filter(({ prefix }) => prefix >= 8 && prefix <= 29);
  fc.assert(
    fc.property(subnetworks, fc.integer({ min: -3, max: 3 }), (one, offset) => {
      const { first, last } = usableInSubnetwork(parsed(one));
      expect([first, last]).toEqual([formatted(one.first + 2), formatted(one.first + one.size - 3)]);
      const near = one.first + 2 + offset;
      fc.pre(near >= 0);
      expect(isUsableInSubnetwork(parsed(one), formatted(near))).toBe(
        offset >= 0 && 2 + offset < one.size - 2,
      );
    }),
  );
});

test.each([
  ...["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "/8", "10.0.0.0/8/8", "10.0.0/8", "010.0.0.0/8"],
  ...["10.0.0.256/32", "0x0a.0.0.0/8", " 10.0.0.0/8", "10.0.0.0/8 ", "::/0", "10.0.0.0/255.0.0.0"],
])("rejects %j, which is not an IPv4 range in CIDR notation", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});
