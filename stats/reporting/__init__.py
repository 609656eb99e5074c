"""报表: a question put to the numbers, its answer as a table, and reports that are sent when it is time."""

from stats.reporting.asked import Question, question_of, words
from stats.reporting.periods import Period, days_of
from stats.reporting.sharing import OVERSEES, SEES_MONEY, sees, visible
from stats.reporting.table import Line, Table, excel_rows, table

__all__ = [
    "OVERSEES",
    "SEES_MONEY",
    "Line",
    "Period",
    "Question",
    "Table",
    "days_of",
    "excel_rows",
    "question_of",
    "sees",
    "table",
    "visible",
    "words",
]
