"""A practitioner's model under the frozen ensemble of attacks: from its name to one page that tells how it breaks.

callables       a Python function as a model
comparing       which entity types of model and data are compared, and which are not
running         the runs of an audit, in a results folder like any others
findings        the numbers, as tables; columns says what stands in them
fates           what became of mentions
edit_kinds      what an attack did to a text: misspelling, other word, other entity, casing, insertion
chosen          the examples to be read
hardening       what is known here of defenses
report          the page
"""
