"""Each damaged file: its name in words, its bytes, and the code and part of the sentence it ends with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import cases_config
import cases_header
import cases_kinds
import cases_tensors

#: What taming's widths cannot tell: the small model's group count.
TAMING_CONFIG = b'{"norm_num_groups": 1, "sample_size": 8}\n'


@dataclass(frozen=True)
class Case:
    name: str
    data: bytes | None
    code: str
    says: str
    #: The text of a config.json beside the file.
    config: bytes | None = None
    #: A file that is there already and good by itself, in place of one of the case's own.
    file: str | None = None
    #: The code on the page, where it is another one.
    page: str | None = None

    @property
    def stem(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def all_cases() -> Iterator[Case]:
    for part in (cases_kinds, cases_header, cases_tensors, cases_config):
        for case in part.cases():
            yield Case(*case) if isinstance(case, tuple) else Case(**case)
