/**
 * Trino's functions that Firebreak's SQL uses and DuckDB lacks, or means otherwise, with the meaning that Trino's pages give them
 * (src/domain/athena/trino.ts lists the pages). The others (lower, strpos, split_part, coalesce, TRY, TRY_CAST, LIKE) mean the same in both.
 */
export const trinoMacros: readonly string[] = [
  // "Returns the JSON value of the JSON text"; it fails for what is none.
  'CREATE MACRO json_parse(value) AS CAST(value AS JSON)',
  'CREATE MACRO json_format(value) AS CAST(value AS VARCHAR)',
  // Paths are $.key and $["key"]; DuckDB writes the second $."key". A key of an array is nothing in either.
  `CREATE MACRO trino_path(path) AS replace(replace(path, '["', '."'), '"]', '"')`,
  // DuckDB's own functions of the same names are meant; a text that is no JSON has nothing in it.
  'CREATE MACRO json_extract(value, path) AS system.main.json_extract(TRY_CAST(value AS JSON), trino_path(path))',
  // "The value referenced by json_path must be a scalar": NULL for objects and arrays.
  `CREATE MACRO json_extract_scalar(value, path) AS
    CASE WHEN system.main.json_type(system.main.json_extract(TRY_CAST(value AS JSON), trino_path(path))) NOT IN ('OBJECT', 'ARRAY')
    THEN system.main.json_extract_string(TRY_CAST(value AS JSON), trino_path(path)) END`,
  'CREATE MACRO array_join(list, separator) AS array_to_string(list, separator)',
  // "The pattern only needs to be contained within string".
  'CREATE MACRO regexp_like(value, pattern) AS regexp_matches(value, pattern)',
];
