"""Make the model bundle of ``layers/models``: download, convert, fit, pack, describe.

``python -m tools.models --help`` lists the steps. Only ``build`` is needed to make the bundle
again; the fitting steps are for those who want other statistics, and their results are in
``tools/models/fitted``.
"""
