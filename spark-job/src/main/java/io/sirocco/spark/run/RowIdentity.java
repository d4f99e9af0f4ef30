package io.sirocco.spark.run;

import io.sirocco.spark.output.DurableResults;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/**
 * Knows a row by what its answer depends on: what the model reads of it, and its key where random
 * draws depend on that. A changed row is another one; rows that differ in nothing but columns the
 * model does not read are the same, and computed once.
 *
 * @param columns those that make the difference, of {@link EngineColumns#added}
 * @param given what the engine gets
 */
record RowIdentity(List<String> columns, List<String> given) {
  private static final int SHA_BITS = 256;
  private static final Map<String, String> NULLS_TOO = Map.of("ignoreNullFields", "false");

  /** Half of SHA-256: no two of 10^12 rows are likely to meet, by chance or by intent. */
  private static final int BYTES = 16;

  /** {@code draws}: whether texts are drawn at random, by their keys. */
  static RowIdentity of(EngineColumns columns, boolean draws) {
    return new RowIdentity(columns.answerColumns(draws), columns.engineColumns());
  }

  /** The rows with {@link DurableResults#ROW}. */
  Dataset<Row> added(Dataset<Row> rows) {
    Column json =
        functions.to_json(functions.struct(named()), NULLS_TOO).cast(DataTypes.BinaryType);
    Column digest = functions.unhex(functions.sha2(json, SHA_BITS));
    return rows.withColumn(DurableResults.ROW, functions.substring(digest, 1, BYTES));
  }

  /** The identity and what the engine is given, of each row once. */
  Dataset<Row> distinct(Dataset<Row> identified) {
    return identified
        .select(DurableResults.ROW, quoted(given))
        .dropDuplicates(new String[] {DurableResults.ROW});
  }

  private Column[] named() {
    return Stream.of(quoted(columns)).map(functions::col).toArray(Column[]::new);
  }

  private static String[] quoted(List<String> names) {
    return names.stream().map(EngineColumns::quoted).toArray(String[]::new);
  }
}
