-- What is attached to something that is begun is kept by the browser that it was attached in, as long as its upload stays.
ALTER TABLE draft DROP COLUMN files;
