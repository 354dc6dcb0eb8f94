"""The filter engine: GuardConfig + text -> Decision. Pure, and in time linear in the text.

In: a `GuardConfig` (layers of word lists, RE2 patterns and kinds of personal data) and a text of
any content. Out: a `Decision`: allow, mask or block, the text as it may go on, and a `Hit` for each
find, with its layer, its rule and its span in the original text. `views` reads a text as people
read it (NFKC, letter case, separators) and knows where each character came from; `words` finds
words, `patterns` regular expressions, `personal` personal data by checksum; `engine` decides.

To add a layer: one file with a finder, its line in `engine.py`, and a test that compares its spans
with a scan of everything by the plainest means.
"""
