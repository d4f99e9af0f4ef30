package io.sirocco.arrow;

import io.sirocco.engine.RowOutcome;
import io.sirocco.model.Labels;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.vector.types.pojo.Field;

/** The result columns of one task, beside those that all tasks have. */
interface ResultFormat {

  /**
   * The format of the options' task.
   *
   * @param labels of the engine's plan
   */
  static ResultFormat of(ResultOptions options, Optional<Labels> labels) {
    if (options instanceof ClassifyOptions classify) {
      return new ClassifyFormat(labels.orElseThrow(), classify);
    }
    if (options instanceof GenerateOptions generate) {
      return new GenerateFormat(generate);
    }
    if (options instanceof EmbedOptions) {
      return new EmbedFormat();
    }
    return new ScoreFormat((ScoreOptions) options);
  }

  /** Columns before those that all tasks have; {@link #tokensColumn} is among them. */
  List<Field> leading();

  /** Columns behind those that all tasks have. */
  List<Field> onRequest();

  /** The column with the tokens of a row. */
  String tokensColumn();

  /** Fills the result row of an answer; of one of its samples, where it has several. */
  void write(RowOutcome answer, int sample, int row, ResultColumns columns);
}
