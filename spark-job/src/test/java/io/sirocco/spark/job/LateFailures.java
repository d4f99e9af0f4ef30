package io.sirocco.spark.job;

import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.spark.TaskContext;
import org.apache.spark.internal.io.FileCommitProtocol.TaskCommitMessage;
import org.apache.spark.sql.execution.datasources.SQLHadoopMapReduceCommitProtocol;

/**
 * Spark's own commit protocol on a bad day: the first attempt of every fifth task fails when all of
 * its rows are computed and written, and that of the second task takes so long that a speculative
 * copy overtakes it.
 */
public final class LateFailures extends SQLHadoopMapReduceCommitProtocol {
  private static final long serialVersionUID = 1L;
  private static final int ONE_IN = 5;
  private static final int SLOW = 1;
  private static final long SLOW_MILLISECONDS = 60_000;

  /** As Spark makes it. */
  public LateFailures(String jobId, String path, boolean dynamicPartitionOverwrite) {
    super(jobId, path, dynamicPartitionOverwrite);
  }

  @Override
  public TaskCommitMessage commitTask(TaskAttemptContext context) {
    int task = context.getTaskAttemptID().getTaskID().getId();
    // The attempt of the Hadoop id is a number that no other task of the job has.
    int attempt = TaskContext.get().attemptNumber();
    if (attempt == 0 && task == SLOW) {
      sleep();
    }
    if (attempt == 0 && task % ONE_IN == 0) {
      throw new IllegalStateException("task " + task + " fails once by design");
    }
    return super.commitTask(context);
  }

  private static void sleep() {
    try {
      Thread.sleep(SLOW_MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("overtaken", e);
    }
  }
}
