// Cutting a migration into statements; applying one is tested where a database is.
import { describe, expect, it } from 'vitest'
import { splitStatements } from '../support/migrations.ts'

describe('RUNTIME 2: migrations', () => {
  it.each([
    ['two statements', 'CREATE TABLE a (b TEXT);\nCREATE TABLE c (d TEXT);\n', ['CREATE TABLE a (b TEXT)', 'CREATE TABLE c (d TEXT)']],
    ['none', '-- nothing here;\n/* nor; here */\n;', []],
    ['a semicolon in a string', "INSERT INTO a VALUES ('x;''y');", ["INSERT INTO a VALUES ('x;''y')"]],
    ['a semicolon in a comment', 'CREATE TABLE a (\n  b TEXT -- one; two\n);', ['CREATE TABLE a (\n  b TEXT  \n)']],
    [
      'a trigger',
      'CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; DELETE FROM c; END; SELECT 1',
      ['CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; DELETE FROM c; END', 'SELECT 1'],
    ],
  ])('RUNTIME 2: a script is cut into statements: %s', (_name, script, statements) => {
    expect(splitStatements(script)).toEqual(statements)
  })
})
