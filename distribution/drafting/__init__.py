"""A campaign in and out as one document: read it (structure and types), save it (sense and rules), write it.

What the document names, it describes whole: a field left out takes its default, but for ``status``, ``looks`` and
``title``, which stay. What it does not name stays as it is, but for the offers of a placement, which are its list.
An offer may name a template of another campaign that is known already.
"""

from distribution.drafting.document import Document
from distribution.drafting.saving import Saved, save
from distribution.drafting.writing import document_of, results_of

__all__ = ["Document", "Saved", "document_of", "results_of", "save"]
