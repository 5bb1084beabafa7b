# Print count, minimum, mean and maximum for each numeric column of a CSV file.
import csv
import sys
from statistics import mean


def numeric_columns(rows):
    """Collect the values of every column, leaving out cells that are not numbers."""
    columns = {}
    for row in rows:
        for name, cell in row.items():
            try:
                value = float(cell)
            except (TypeError, ValueError):
                continue
            columns.setdefault(name, []).append(value)
    return columns


def main(path):
    with open(path, newline="", encoding="utf-8") as handle:
        columns = numeric_columns(csv.DictReader(handle))
    if not columns:
        print("no numeric columns found")
        return
    print(f"{'column':<20}{'count':>8}{'min':>12}{'mean':>12}{'max':>12}")
    for name, values in columns.items():
        print(
            f"{name:<20}{len(values):>8}{min(values):>12.2f}"
            f"{mean(values):>12.2f}{max(values):>12.2f}"
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: csv_summary.py FILE")
    main(sys.argv[1])
