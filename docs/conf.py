"""How Sphinx builds these pages: `make docs`."""

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # the extension, and the package of this tree

project = "fastsio"
copyright = "the authors of fastsio"
try:
    release = metadata.version("fastsio")
except metadata.PackageNotFoundError:  # built in place
    release = "0.1.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "stubs"]
exclude_patterns = ["migrations"]
default_role = "code"
nitpicky = True
# Other libraries' names, and two kinds of ours: options have a page of their own, Function is any function.
nitpick_ignore_regex = [("py:.*", r"(?!fastsio\.).*|fastsio\.(options\.\w+|events\.Function)")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "fastsio"
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["fastsio.css"]
copybutton_prompt_text = "$ "
