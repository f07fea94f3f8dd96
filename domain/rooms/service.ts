import { service } from '../kernel/service.ts'
import { message } from './message/message.ts'
import { readMark } from './readmark/readmark.ts'
import { room } from './room/room.ts'

const ACT = ['*.read', 'rooms.write', 'messages.write']

export const roomsService = service({
  code: 'krms',
  word: 'rooms',
  title: 'Rooms: messages, threads and receipts',
  aggregates: [room, message, readMark],
  roles: {
    'team-lead': ['*'],
    'team-member': ACT,
    contributor: ACT,
    viewer: ['*.read'],
    auditor: ['*.read'],
  },
})
