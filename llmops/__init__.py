"""GitOps for LLM systems: two git trees in, one verdict out, with the evidence it rests on.

The stream is Tree -> Document -> Spec -> Graph -> Change -> Plan -> Run -> Statement -> Verdict ->
Report; each folder is one stage, and imports only go down that list (checked by import-linter).
"""

__version__ = "0.1.0"
