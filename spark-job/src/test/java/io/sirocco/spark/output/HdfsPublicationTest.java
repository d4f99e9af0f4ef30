package io.sirocco.spark.output;

import io.sirocco.spark.MiniHdfs;
import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The same on a real HDFS, whose renames have rules of their own. */
class HdfsPublicationTest extends PublicationTest {
  private static MiniHdfs hdfs;

  @BeforeAll
  static void startHdfs() throws IOException {
    hdfs = MiniHdfs.start();
  }

  @AfterAll
  static void stopHdfs() throws IOException {
    hdfs.close();
  }

  @Override
  Path parent() {
    return new Path(hdfs.uri() + "/" + folder.getFileName());
  }
}
