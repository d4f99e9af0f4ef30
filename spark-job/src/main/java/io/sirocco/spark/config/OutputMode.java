package io.sirocco.spark.config;

import org.apache.spark.sql.SaveMode;

/** What becomes of results that are already where a job shall write. */
public enum OutputMode {
  /** The job is refused. */
  ERROR(SaveMode.ErrorIfExists),
  /** They are replaced. */
  OVERWRITE(SaveMode.Overwrite),
  /** The job's are put beside them. */
  APPEND(SaveMode.Append),
  /** They stay, and the job does nothing. */
  IGNORE(SaveMode.Ignore),
  /** What they lack is computed; they are replaced when all is there. */
  RESUME(SaveMode.Append);

  private final SaveMode saveMode;

  OutputMode(SaveMode saveMode) {
    this.saveMode = saveMode;
  }

  /** Whether what is there stays, and the job's results come to it. */
  public boolean adds() {
    return this == APPEND || this == RESUME;
  }

  /** What Spark calls it. */
  public SaveMode saveMode() {
    return saveMode;
  }
}
