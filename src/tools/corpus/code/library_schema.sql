-- Schema of a lending library, with a query for overdue loans.
CREATE TABLE members (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    email  TEXT NOT NULL UNIQUE
);

CREATE TABLE books (
    id      INTEGER PRIMARY KEY,
    title   TEXT NOT NULL,
    author  TEXT NOT NULL
);

CREATE TABLE loans (
    id           INTEGER PRIMARY KEY,
    book_id      INTEGER NOT NULL REFERENCES books (id),
    member_id    INTEGER NOT NULL REFERENCES members (id),
    due_on       DATE NOT NULL,
    returned_on  DATE
);

-- A book can be out only once at a time (SQLite and PostgreSQL).
CREATE UNIQUE INDEX loans_open ON loans (book_id) WHERE returned_on IS NULL;

SELECT members.name, books.title, loans.due_on
FROM loans
JOIN members ON members.id = loans.member_id
JOIN books ON books.id = loans.book_id
WHERE loans.returned_on IS NULL
  AND loans.due_on < CURRENT_DATE
ORDER BY loans.due_on;
