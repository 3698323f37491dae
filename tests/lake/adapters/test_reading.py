import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.lake.adapters.reading import header, read_table


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_all_kinds_give_the_same_table(tmp_path, suffix):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    path = tmp_path / f"t{suffix}"
    table.to_parquet(path) if suffix == ".parquet" else table.to_csv(path, index=False)
    assert header(path) == ["a", "b"]
    assert read_table(path).fillna("-").astype("string").to_dict("list") == {"a": ["1", "2"], "b": ["x", "-"]}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", None, "there is no file"),
        ("t.pkl", b"\x80\x04", "is none of .csv, .csv.gz, .parquet"),
        ("t.csv", b"", "cannot be read"),
        ("t.csv", b"a,b\n1,2\n3\n", "cannot be read"),
        ("t.csv", b"a,a\n1,2\n", "has column a more than once"),
        ("t.csv.gz", b"not gzip", "cannot be read"),
        ("t.parquet", b"PAR1 but not really", "cannot be read"),
    ],
)
def test_a_bad_file_is_told_in_a_sentence(tmp_path, name, content, sentence):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence):
        read_table(path)


def test_codes_keep_their_zeros_and_namibia_its_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("code,n,land\n0742,1,NA\n,2,DE\n")
    found = read_table(path, ["code"])
    assert found["code"].fillna("-").tolist() == ["0742", "-"]
    assert found["n"].tolist() == [1, 2]
    assert found["land"].tolist() == ["NA", "DE"]


def test_an_odd_value_far_down_a_column_of_numbers_does_not_lose_the_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2.5\n" * 300_000 + "1,oops\n")  # beyond the block from which types are guessed
    found = read_table(path)
    assert len(found) == 300_001
    assert found["b"].iloc[-1] == "oops"
