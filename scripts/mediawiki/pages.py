#!/usr/bin/env python3
"""Writes the pages of the test wiki as a MediaWiki XML dump.

usage: pages.py GENSIM_WHEEL OUT.xml

The articles are real ones: the gensim wheel carries a shortened dump of the English Wikipedia
(text under CC BY-SA 3.0; it is fetched for the tests and never part of the repository). The pages
of special shape, which filters and parsers have to tell apart, are our own.
"""

import bz2
import re
import sys
import xml.etree.ElementTree as ET
import zipfile

SHARD = "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
EXPORT = "{http://www.mediawiki.org/xml/export-0.10/}"
ARTICLE, CATEGORY = 0, 14

ARTICLES = """A Modest Proposal|Aardwolf|Abacus|Acid|Agricultural science|Albedo|Alphabet|
Amateur astronomy|Ambiguity|America the Beautiful|Ampere|An American in Paris|Android (robot)|
Appellate court|Arithmetic mean|Aruba|Assistive technology|Astronomer|Atlantic Ocean|Atomic number|
Austroasiatic languages|International Atomic Time""".replace("\n", "").split("|")

MONTHS = {"January": 31, "February": 29, "March": 31, "April": 30, "May": 31, "June": 30, "July": 31,
          "August": 31, "September": 30, "October": 31, "November": 30, "December": 31}


def without_nested(text, opening, closing):
    """Drops what is between the marks, which may be nested."""
    kept, depth, at = [], 0, 0
    for mark in re.finditer(re.escape(opening) + "|" + re.escape(closing), text):
        if depth == 0:
            kept.append(text[at:mark.start()])
        depth = depth + 1 if mark.group() == opening else max(depth - 1, 0)
        at = mark.end()
    return "".join(kept) + (text[at:] if depth == 0 else "")


def plain(wikitext):
    """Without templates, tables, notes and pictures: the test wiki has none of their pages."""
    text = re.sub(r"<!--.*?-->", "", wikitext, flags=re.S)
    text = re.sub(r"<ref\b[^>]*/>|<ref\b[^>]*>.*?</ref>", "", text, flags=re.S)
    text = re.sub(r"<(math|gallery|timeline|score)\b[^>]*>.*?</\1>", "", text, flags=re.S)
    text = without_nested(without_nested(text, "{{", "}}"), "{|", "|}")
    picture = r"\[\[(?:File|Image):(?:[^\[\]]|\[\[[^\[\]]*\]\])*\]\]"
    return re.sub(r"\n{3,}", "\n\n", re.sub(picture, "", text, flags=re.I)).strip()


def real_pages(wheel):
    shard = bz2.decompress(zipfile.ZipFile(wheel).read(SHARD))
    for page in ET.fromstring(shard).iter(EXPORT + "page"):
        title = page.findtext(EXPORT + "title")
        redirect = page.find(EXPORT + "redirect")
        if redirect is not None and redirect.get("title") in ARTICLES:
            yield title, f"#REDIRECT [[{redirect.get('title')}]]"
        elif redirect is None and title in ARTICLES:
            yield title, plain(page.findtext(f"{EXPORT}revision/{EXPORT}text"))


def filler(words):
    """Plain sentences of so many words altogether, at least."""
    sentence = "This sentence of plain words is here so that the page has the length that its test needs. "
    return sentence * (words // len(sentence.split()) + 1)


def day(title, events, births, deaths):
    def section(name, lines):
        return f"== {name} ==\n" + "".join(f"{line}\n" for line in lines)

    return "\n".join([
        f"'''{title}''' is a day of the year in the Gregorian calendar.\n",
        section("Events", events), section("Births", births), section("Deaths", deaths),
        "== Holidays and observances ==\n* None in the test wiki.\n",
        "== References ==\n* None.\n\n[[Category:Days of the year]]",
    ])


# One day of a month has a page, to which the others lead.
DAYS = {
    "January 1": day("January 1", ["=== Pre-1600 ===", "* [[45 BC]] – The Julian calendar takes effect.",
                                   "=== 1601–present ===", "* [[1970]] – The zero point of Unix time.",
                                   "* [[1983]] – The ARPANET changes over to the Internet Protocol."],
                     ["* [[1894]] – Satyendra Nath Bose, Indian physicist (d. 1974)"],
                     ["* [[1894]] – Heinrich Hertz, German physicist (b. 1857)",
                      "* [[1992]] – Grace Hopper, American computer scientist (b. 1906)"]),
    "February 29": day("February 29", ["* [[1504]] – Christopher Columbus uses an eclipse of the Moon.",
                                       "* [[1900]] – A day that this calendar has not."],
                       ["* [[1860]] – Herman Hollerith, American statistician (d. 1929)"],
                       ["* [[1940]] – Edward Frederic Benson, English author (b. 1867)"]),
    "March 14": day("March 14", ["* [[1794]] – Eli Whitney receives a patent for the cotton gin.",
                                 "* [[1994]] – Version 1.0.0 of the Linux kernel is released."],
                    ["* [[1879]] – Albert Einstein, German-born physicist (d. 1955)"],
                    ["* [[1883]] – Karl Marx, German philosopher (b. 1818)",
                     "* [[2018]] – Stephen Hawking, English physicist (b. 1942)"]),
    "July 20": day("July 20", ["* [[356 BC]] – A birth that is told of as an event.",
                               "* [[AD 70]] – The fortress Antonia is taken in Jerusalem.",
                               "* A line that names no year.",
                               "* [[1969]] – Apollo 11 lands two people on the Moon for the first time.",
                               "* [[1976]] – Viking 1 lands on Mars."],
                   ["* [[1822]] – Gregor Mendel, friar and founder of genetics (d. 1884)"],
                   ["* [[1937]] – Guglielmo Marconi, Italian radio pioneer (b. 1874)"]),
    "October 4": day("October 4", ["* [[1957]] – Sputnik 1 becomes the first satellite of the Earth."],
                     ["* [[1903]] – John Vincent Atanasoff, American physicist (d. 1995)"],
                     ["* [[1947]] – Max Planck, German physicist (b. 1858)"]),
    "December 31": day("December 31", ["* [[1879]] – Thomas Edison shows his electric light in public."],
                       ["* [[1514]] – Andreas Vesalius, Flemish anatomist (d. 1564)"],
                       ["* [[1691]] – Robert Boyle, Irish chemist (b. 1627)"]),
}


def special_pages():
    """By title and wikitext. Of those that no draw may bring, each breaks one rule only."""
    yield "Žižkov (čtvrť)", f"""'''Žižkov''' is a quarter of [[Prague]] whose title is not in ASCII. {filler(120)}

== History ==
The quarter carries the name of the Hussite leader Jan Žižka. {filler(60)}

=== Early days ===
It was a vineyard. {filler(60)}

==== Wine ====
The wine was sour.

== Empty ==

== See also ==
* [[Albedo]]

== References ==
A reference.

=== Nested below references ===
A nested reference.

== Further reading ==
A book.

== External links ==
* [http://127.0.0.1/ A link]

[[Category:Quarters of Prague]]
[[Category:Test articles]]
[[Category:Kept out of sight]]"""
    yield "Mercury", f"""'''Mercury''' may refer to:
* [[Albedo]], which it has
* [[Atomic number]], which it has as well
{filler(260)}

[[Category:Disambiguation pages]]"""
    yield "List of test articles", filler(260) + "\n" + "\n".join(
        f"* [[{title}]]" for title in [*ARTICLES, *DAYS, "Žižkov (čtvrť)", "Mercury", "Long stub",
                                       "Few words", "List of test articles"]
    ) + "\n\n[[Category:Test articles]]"
    yield "Tiny stub", "'''Tiny stub''' is far too short. See [[Few words]].\n\n[[Category:Stubs]]"
    yield "Long stub", f"{filler(260)} See [[Tiny stub]].\n\n[[Category:Astronomy stubs]]"
    yield "Orphan page", f"{filler(260)}\n\n[[Category:Test articles]]"
    long_words = "Incomprehensibilities notwithstanding, counterrevolutionaries misunderstand. " * 20
    yield "Few words", f"{long_words}\n\n[[Category:Test articles]]"
    yield "Vanished page", "#REDIRECT [[No such page at all]]"
    yield from DAYS.items()
    for month, length in MONTHS.items():
        target = next((title for title in DAYS if title.startswith(month)), "July 20")
        for number in range(1, length + 1):
            if f"{month} {number}" not in DAYS:
                yield f"{month} {number}", f"#REDIRECT [[{target}]]"


def main():
    wheel, out = sys.argv[1:]
    real = list(real_pages(wheel))
    missing = set(ARTICLES) - {title for title, _ in real}
    if missing:
        sys.exit(f"{wheel} has no {', '.join(sorted(missing))}")
    pages = [(ARTICLE, title, text) for title, text in [*real, *special_pages()]]
    pages.append((CATEGORY, "Category:Kept out of sight", "__HIDDENCAT__"))

    root = ET.Element("mediawiki", {"xmlns": EXPORT[1:-1], "version": "0.10", "xml:lang": "en"})
    for number, (namespace, title, text) in enumerate(pages, 1000):
        page = ET.SubElement(root, "page")
        for name, value in [("title", title), ("ns", namespace), ("id", number)]:
            ET.SubElement(page, name).text = str(value)
        revision = ET.SubElement(page, "revision")
        for name, value in [("id", number), ("timestamp", "2016-05-01T00:00:00Z")]:
            ET.SubElement(revision, name).text = str(value)
        contributor = ET.SubElement(revision, "contributor")
        ET.SubElement(contributor, "username").text = "Importer"
        ET.SubElement(contributor, "id").text = "0"
        ET.SubElement(revision, "model").text = "wikitext"
        ET.SubElement(revision, "format").text = "text/x-wiki"
        ET.SubElement(revision, "text", {"xml:space": "preserve"}).text = text
    ET.ElementTree(root).write(out, encoding="utf-8", xml_declaration=True)
    print(f"{len(pages)} pages, {len(ARTICLES)} of them real articles")


main()
