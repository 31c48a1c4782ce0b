"""Names of columns and rows that tables of analyses share with figures. No pandas."""

NOTHING = "nothing"  # the column of a table that only says why it is empty
MEAN_OF_SHIFTS = "mean of shifts"
