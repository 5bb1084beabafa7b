-- List everybody below one manager with a recursive query.
CREATE TABLE employees (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    manager_id  INTEGER REFERENCES employees (id)
);

INSERT INTO employees (id, name, manager_id) VALUES
    (1, 'Ines', NULL),
    (2, 'Jonas', 1),
    (3, 'Keiko', 1),
    (4, 'Luca', 2);

WITH RECURSIVE team (id, name, depth) AS (
    SELECT id, name, 0
    FROM employees
    WHERE name = 'Ines'
    UNION ALL
    SELECT employees.id, employees.name, team.depth + 1
    FROM employees
    JOIN team ON employees.manager_id = team.id
)
SELECT name, depth
FROM team
ORDER BY depth, name;
