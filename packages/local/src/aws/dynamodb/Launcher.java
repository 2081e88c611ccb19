import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBRequestHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBServerHandler;

/**
 * DynamoDB Local's own server, with three differences from its command line: it listens on loopback alone (the command
 * line has no such option and opens an unauthenticated port to the network), it takes a free port and prints
 * "listening PORT" once it answers, and it ends with the process that holds the other end of its standard input,
 * however that process ends. It configures no telemetry.
 *
 * <p>The class beside this file is `javac --release 17` of it, so that a user needs a Java runtime and no compiler;
 * a test compares the two.
 */
public final class Launcher {
  /** One argument: the folder of the database. */
  public static void main(String[] arguments) throws Exception {
    var requests = new LocalDynamoDBRequestHandler(0, false, arguments[0], true, false);
    var server = new Server(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
    server.setHandler(new LocalDynamoDBServerHandler(requests, null));
    server.start();
    System.out.println("listening " + ((ServerConnector) server.getConnectors()[0]).getLocalPort());
    while (System.in.read() != -1) {}
    Runtime.getRuntime().halt(0);
  }
}
