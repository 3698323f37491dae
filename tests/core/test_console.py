"""What the end of a pipe means for a command."""

import pytest

from fraudkit.core.console import until_reader_leaves


def test_another_broken_pipe_than_that_of_the_output_stays_an_error():
    with pytest.raises(BrokenPipeError), until_reader_leaves():
        raise BrokenPipeError
