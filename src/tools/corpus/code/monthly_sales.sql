-- Sales per product and month, each month compared with the one before.
CREATE TABLE sales (
    product  TEXT NOT NULL,
    month    TEXT NOT NULL,          -- for example '2024-03'
    amount   NUMERIC NOT NULL CHECK (amount >= 0)
);

INSERT INTO sales (product, month, amount) VALUES
    ('lamp',  '2024-01', 120),
    ('lamp',  '2024-01', 80),
    ('lamp',  '2024-02', 260),
    ('chair', '2024-01', 90),
    ('chair', '2024-02', 75);

WITH monthly AS (
    SELECT product, month, SUM(amount) AS total
    FROM sales
    GROUP BY product, month
)
SELECT
    product,
    month,
    total,
    total - LAG(total) OVER (PARTITION BY product ORDER BY month) AS change
FROM monthly
ORDER BY product, month;
