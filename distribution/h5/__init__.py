"""H5: the pages that customers open in a browser or in WeChat. Phone first, no script that is not ours."""
