package io.sirocco.engine;

import java.io.Serializable;
import java.util.Objects;

/**
 * The form in which weights are kept while the engine runs.
 *
 * @param form how they lie in memory
 * @param folder on a local disk, for files of prepared weights, which all processes of the host
 *     map; empty: what must be prepared is in this process's own memory
 */
public record WeightOptions(Form form, String folder) implements Serializable {
  /** How weights lie in memory; int8 ones are always packed. */
  public enum Form {
    /** Packed where texts are written in bfloat16 and there is a folder, else stored. */
    AUTO,
    /** As the checkpoint has them, mapped. */
    STORED,
    /** In blocks, which multiply few rows up to twice as fast; bfloat16 only. */
    PACKED
  }

  /** {@link Form#AUTO} without a folder: as stored, unless the precision wants otherwise. */
  public static final WeightOptions DEFAULT = new WeightOptions(Form.AUTO, "");

  public WeightOptions {
    Objects.requireNonNull(form, "form");
    Objects.requireNonNull(folder, "folder");
  }

  /** The same with another folder. */
  public WeightOptions withFolder(String other) {
    return new WeightOptions(form, other);
  }
}
