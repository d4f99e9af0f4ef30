package io.sirocco.spark;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** A real HDFS of one NameNode and one DataNode in this JVM, its files in a temporary folder. */
public final class MiniHdfs implements AutoCloseable {
  private final Path folder;
  private final MiniDFSCluster cluster;

  private MiniHdfs(Path folder, MiniDFSCluster cluster) {
    this.folder = folder;
    this.cluster = cluster;
  }

  /** Running, and empty. */
  public static MiniHdfs start() throws IOException {
    return start(0);
  }

  /** One that is read at so many bytes a second, at most; 0: as fast as it can. */
  public static MiniHdfs start(long bytesPerSecond) throws IOException {
    Path folder = Files.createTempDirectory("sirocco-hdfs-");
    Configuration conf = new Configuration();
    conf.set("dfs.replication", "1");
    // Small models have several blocks, too.
    conf.set("dfs.blocksize", "1m");
    conf.set("dfs.namenode.fs-limits.min-block-size", "1024");
    conf.setLong("dfs.datanode.data.read.bandwidthPerSec", bytesPerSecond);
    // Tests need nothing to survive the machine.
    conf.set("dfs.namenode.edits.noeditlogchannelflush", "true");
    MiniDFSCluster cluster =
        new MiniDFSCluster.Builder(conf, folder.toFile()).numDataNodes(1).build();
    cluster.waitActive();
    return new MiniHdfs(folder, cluster);
  }

  /** Such as {@code hdfs://localhost:40001}. */
  public String uri() {
    return cluster.getURI().toString();
  }

  /** What a client needs to know beyond the URI: nothing. */
  public Configuration configuration() {
    return new Configuration();
  }

  /** The client of this JVM; not to be closed. */
  public FileSystem files() throws IOException {
    return cluster.getFileSystem();
  }

  /** Copies a local file or folder; the URI of the copy. */
  public String put(Path local, String remote) throws IOException {
    org.apache.hadoop.fs.Path to = new org.apache.hadoop.fs.Path(remote);
    files().mkdirs(to.getParent());
    files().copyFromLocalFile(new org.apache.hadoop.fs.Path(local.toUri()), to);
    return uri() + remote;
  }

  /** What clients have read of its files' bytes since it started, as its DataNode counts them. */
  public long bytesRead() {
    try {
      MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
      long all = 0;
      for (ObjectName node :
          beans.queryNames(
              new ObjectName("Hadoop:service=DataNode,name=DataNodeActivity-*"), null)) {
        all += ((Number) beans.getAttribute(node, "BytesRead")).longValue();
      }
      return all;
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Stops it and deletes its files. */
  @Override
  public void close() throws IOException {
    cluster.shutdown();
    FileUtil.fullyDelete(folder.toFile());
  }
}
