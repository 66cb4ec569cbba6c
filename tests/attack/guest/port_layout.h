/* SPDX-License-Identifier: BSD-3-Clause */
/* port_layout.h - where in a port's memory its rings and buffers are: for guest programs and their VMM. */
#ifndef ELISA_TEST_ATTACK_PORT_LAYOUT_H
#define ELISA_TEST_ATTACK_PORT_LAYOUT_H

#define PORT_MEMORY 0x80000 /* bytes; port n of a guest at GUEST_REGION + n * PORT_MEMORY */
#define PORT_WINDOW 0x0
#define PORT_RING 0x2000
#define PORT_SEND_BUFFERS 0x10000
#define PORT_RECEIVE_BUFFERS 0x30000
#define PORT_BUFFER 0x800
#define PORT_TX_SIZE 64
#define PORT_RX_SIZE 128

#define PORT_ETHER_TYPE 0x88b5 /* IEEE local experimental */

#endif
