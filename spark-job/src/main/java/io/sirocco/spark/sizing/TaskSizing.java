package io.sirocco.spark.sizing;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.TimestampType;

/**
 * Shares rows out among tasks by the work they are: the tasks of a job then last about as long as
 * each other, whatever lengths the rows have and however files or tables hold them. Partitions that
 * are good enough stay as they are, so that a small job keeps its order and needs no shuffle.
 */
public final class TaskSizing {
  private static final String TOKENS = "__sirocco_tokens";
  private static final String TASK = "__sirocco_task";

  private TaskSizing() {}

  /**
   * Counts rows and their tokens, in one pass that reads them whole: a reader that drops malformed
   * lines drops none where it looks at no column.
   *
   * @param tokens of a row by estimate, a whole number; less than 1 and null count as 1
   */
  public static Work measure(Dataset<Row> rows, Column tokens) {
    int last = rows.schema().size();
    return rows.withColumn(TOKENS, atLeastOne(tokens))
        .queryExecution()
        .toRdd()
        .toJavaRDD()
        .mapPartitions(partition -> List.of(sum(partition, last)).iterator())
        .fold(Work.NONE, Work::plus);
  }

  /**
   * The same rows with the same columns in partitions that meet the target, the longest rows first;
   * unchanged if they do already. Rows come in another order then, and go through a shuffle.
   *
   * @param tokens as for {@link #measure}, which {@code work} is from
   */
  public static Dataset<Row> sized(Dataset<Row> rows, Column tokens, Work work, TaskTarget target) {
    if (target.metBy(work)) {
      return rows;
    }
    Routes routes = new Routes(work, target.slices(work));
    Column task =
        functions
            .udf(routes, DataTypes.IntegerType)
            .apply(atLeastOne(tokens), content(rows), functions.spark_partition_id());
    return rows.withColumn(TASK, task)
        .repartition(routes.partitions(), functions.col(TASK))
        .drop(TASK);
  }

  private static Column atLeastOne(Column tokens) {
    return functions.greatest(
        functions.coalesce(tokens.cast(DataTypes.LongType), functions.lit(1L)), functions.lit(1L));
  }

  /** A hash of what Spark can hash of a row: not of maps, and structures may hold some. */
  private static Column content(Dataset<Row> rows) {
    return functions.xxhash64(
        Arrays.stream(rows.schema().fields())
            .filter(field -> hashable(field.dataType()))
            .map(StructField::name)
            .map(name -> functions.col("`" + name.replace("`", "``") + "`"))
            .toArray(Column[]::new));
  }

  private static boolean hashable(DataType type) {
    return type instanceof StringType
        || type instanceof NumericType
        || type instanceof BooleanType
        || type instanceof DateType
        || type instanceof TimestampType
        || type instanceof BinaryType
        || (type instanceof ArrayType array && hashable(array.elementType()));
  }

  /** Of one partition; {@code column}: that of the tokens. */
  private static Work sum(Iterator<InternalRow> partition, int column) {
    long[] byClass = new long[Work.CLASSES];
    long rows = 0;
    while (partition.hasNext()) {
      long tokens = partition.next().getLong(column);
      byClass[Work.classOf(tokens)] += tokens;
      rows++;
    }
    long all = LongStream.of(byClass).sum();
    return rows == 0 ? Work.NONE : new Work(rows, 1, all, LongStream.of(byClass).boxed().toList());
  }
}
