"""Names of columns and rows that tables of analyses share with figures; imports no pandas."""

NOTHING = "nothing"  # the column of a table that only says why it is empty
MEAN_OF_SHIFTS = "mean of shifts"  # heading of the mean where there are several shifts
