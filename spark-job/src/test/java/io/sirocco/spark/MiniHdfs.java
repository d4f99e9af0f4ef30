package io.sirocco.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    Path folder = Files.createTempDirectory("sirocco-hdfs-");
    Configuration conf = new Configuration();
    conf.set("dfs.replication", "1");
    // Small models have several blocks, too.
    conf.set("dfs.blocksize", "1m");
    conf.set("dfs.namenode.fs-limits.min-block-size", "1024");
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

  /** Stops it and deletes its files. */
  @Override
  public void close() throws IOException {
    cluster.shutdown();
    FileUtil.fullyDelete(folder.toFile());
  }
}
