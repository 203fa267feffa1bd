"""Writes crates/domain/src/numbering/table.rs from the published metadata of libphonenumber.

    pip install phonenumbers==9.0.43
    python3 docs/reference/numbering.py > crates/domain/src/numbering/table.rs

What is taken, and what is left out, stands in numbering.md beside this file.
"""

import re
import sys
from re import _constants as op
from re import _parser

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.data import _COUNTRY_CODE_TO_REGION_CODE as REGIONS

VERSION = "9.0.43"
DIGITS = frozenset("0123456789")


def starts(pattern):
    """The pairs (length, first digit) of all texts that a pattern matches."""
    return sequence(_parser.parse(pattern))


def sequence(nodes):
    found = {(0, "")}
    for node in nodes:
        found = join(found, one(node))
    return found


def join(left, right):
    return {(a + b, first or second) for a, first in left for b, second in right}


def one(node):
    what, value = node
    if what is op.LITERAL:
        return {(1, chr(value))}
    if what is op.IN:
        return {(1, digit) for digit in members(value)}
    if what is op.BRANCH:
        return set().union(*(sequence(branch) for branch in value[1]))
    if what is op.SUBPATTERN:
        return sequence(value[-1])
    if what is op.MAX_REPEAT:
        least, most, body = value
        once, found, times = sequence(body), set(), {(0, "")}
        for count in range(int(most) + 1):
            if count >= least:
                found |= times
            times = join(times, once)
        return found
    raise ValueError(f"a pattern with {what}")


def members(values):
    for what, value in values:
        if what is op.LITERAL:
            yield chr(value)
        elif what is op.RANGE:
            yield from (chr(code) for code in range(value[0], value[1] + 1))
        elif (what, value) == (op.CATEGORY, op.CATEGORY_DIGIT):
            yield from DIGITS
        else:
            raise ValueError(f"a class with {what}")


def trunk(metadata):
    """What is dialled before a national number; of Gabon only the rule for parsing says it."""
    if metadata.national_prefix:
        return metadata.national_prefix
    rule = metadata.national_prefix_for_parsing or ""
    if metadata.national_prefix_transform_rule == r"\1" and (found := re.match(r"(\d+)\(", rule)):
        return found.group(1)
    return ""


def plan(code):
    """The trunk prefix, and by length the first digits, of a calling code's mobile numbers."""
    all_metadata = [PhoneMetadata.metadata_for_region(region) for region in REGIONS[code]]
    by_length = {}
    for metadata in filter(None, all_metadata):
        if metadata.mobile is None or not metadata.mobile.national_number_pattern:
            continue
        for length, first in starts(metadata.mobile.national_number_pattern):
            if length in metadata.mobile.possible_length:
                by_length.setdefault(length, set()).add(first)
    return (trunk(all_metadata[0]) if all_metadata[0] else ""), by_length


def main():
    if phonenumbers.__version__ != VERSION:
        sys.exit(f"phonenumbers {VERSION} is needed, this is {phonenumbers.__version__}")
    print("//! Made by `docs/reference/numbering.py` from the metadata of libphonenumber (Apache-2.0), by")
    print(f"//! way of the package `phonenumbers` {VERSION}: do not change by hand.")
    print()
    print("use super::{Plan, plan};")
    print()
    print("/// In the order of the calling codes as texts.")
    print("#[rustfmt::skip]")
    print("pub(super) const PLANS: &[Plan] = &[")
    for code in sorted(REGIONS, key=str):
        prefix, by_length = plan(code)
        # Longer than an international number can be, or no mobile numbers at all.
        kept = [(n, f) for n, f in sorted(by_length.items()) if n + len(str(code)) <= 15]
        if kept:
            mobiles = ", ".join(f'({n}, "{"".join(sorted(firsts))}")' for n, firsts in kept)
            region = REGIONS[code][0]
            print(f'    plan("{code}", "{prefix}", &[{mobiles}]), // {region}')
    print("];")


main()
